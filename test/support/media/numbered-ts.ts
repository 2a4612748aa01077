import { streamPacket } from './ts-packets.ts';

const packetBytes = 188;
const pid = 0x100;

/** Packets of one PID that each carry their number; the continuity counter runs with it. */
export function numberedTs(first: number, packets = 7): Buffer {
  const chunk: Buffer[] = [];
  for (let number = first; number < first + packets; number++) {
    const packet = streamPacket(pid, number, number & 0xff);
    packet.writeUInt32BE(number, 4);
    chunk.push(packet);
  }
  return Buffer.concat(chunk);
}

/** The numbers of all packets in what came out, in its order. Throws on anything that `numberedTs` has not made. */
export function numbersIn(datagrams: readonly Buffer[]): number[] {
  const bytes = Buffer.concat(datagrams);
  if (bytes.length % packetBytes !== 0) throw new Error(`${bytes.length} bytes are not whole packets`);
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += packetBytes) {
    const number = bytes.readUInt32BE(at + 4);
    if (!bytes.subarray(at, at + packetBytes).equals(numberedTs(number, 1))) {
      throw new Error(`the packet at ${at} is not number ${number}`);
    }
    numbers.push(number);
  }
  return numbers;
}

/** Where the numbers do not run on by one. */
export function gapsIn(numbers: readonly number[]): string[] {
  return numbers.flatMap((number, index) => {
    const before = numbers[index - 1];
    return before === undefined || number === before + 1 ? [] : [`${before} → ${number}`];
  });
}
