import { mpegCrc32 } from '../../../src/media/mpegts/crc32.ts';

/** A PSI section with its CRC. */
export function section(tableId: number, extension: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + body.length + 4);
  bytes[0] = tableId;
  bytes.writeUInt16BE(0xb000 | (bytes.length - 3), 1);
  bytes.writeUInt16BE(extension, 3);
  bytes[5] = 0xc1;
  bytes.set(body, 8);
  bytes.writeUInt32BE(mpegCrc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** A packet that starts with a section. */
export function sectionPacket(pid: number, counter: number, content: Buffer): Buffer {
  const packet = streamPacket(pid, counter, 0xff);
  packet[1] = (packet[1] ?? 0) | 0x40;
  packet[4] = 0;
  packet.set(content, 5);
  return packet;
}

/** A packet full of payload. */
export function streamPacket(pid: number, counter: number, fill = 0): Buffer {
  const packet = Buffer.alloc(188, fill);
  packet[0] = 0x47;
  packet.writeUInt16BE(pid, 1);
  packet[3] = 0x10 | (counter & 0x0f);
  return packet;
}

/** A packet with nothing but a clock, in 27 MHz ticks. */
export function pcrPacket(pid: number, counter: number, pcr: number, discontinuity = false): Buffer {
  const packet = streamPacket(pid, counter, 0xff);
  packet[3] = 0x20 | (counter & 0x0f);
  packet[4] = 183;
  packet[5] = 0x10 | (discontinuity ? 0x80 : 0);
  const base = Math.floor(pcr / 300);
  packet.writeUInt32BE(Math.floor(base / 2), 6);
  packet[10] = ((base & 1) << 7) | 0x7e | ((pcr % 300) >> 8);
  packet[11] = (pcr % 300) & 0xff;
  return packet;
}
