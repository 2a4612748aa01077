import { controlPacket, controlType, headerBytes } from './packet.ts';

/**
 * Handshake packets (draft-sharabayko-srt-01 §3.2.1). The body without extensions has 48 bytes:
 *
 * ```text
 * 0 version | 4 encryption, extension | 8 initial sequence | 12 MTU | 16 flight window | 20 type | 24 socket id
 * 28 cookie | 32 address (16) | 48 extensions: type (16), length in words (16), content
 * ```
 */
const bodyBytes = 48;

export const handshakeType = { induction: 1, conclusion: 0xffff_ffff } as const;
/** The extension field of an induction response. */
export const srtMagic = 0x4a17;
/** Types from here on are reasons of refusal. */
const rejectBase = 1000;

/** Flags of the handshake extension message (§3.2.1.1.1). */
export const peerFlags = {
  tsbpdSend: 0x01,
  tsbpdReceive: 0x02,
  crypt: 0x04,
  tooLateDrop: 0x08,
  periodicNak: 0x10,
  retransmitFlag: 0x20,
  stream: 0x40,
  filter: 0x80,
} as const;

/** Bits of the extension field of a conclusion. */
export const extensionFlags = { handshake: 1, key: 2, config: 4 } as const;

/** 1.5.1 as `major.minor.patch` bytes: what this implementation is compatible with. */
export const srtVersion = 0x01_05_01;

export interface HandshakeExtension {
  readonly type: number;
  readonly content: Buffer;
}

export interface Handshake {
  readonly version: number;
  /** 0, or the key's bytes divided by 8. */
  readonly encryption: number;
  readonly extension: number;
  readonly initialSequence: number;
  readonly mss: number;
  readonly flightWindow: number;
  readonly type: number;
  readonly socketId: number;
  readonly cookie: number;
  readonly extensions: readonly HandshakeExtension[];
}

export function encodeHandshake(handshake: Handshake): Buffer {
  const extended = handshake.extensions.reduce((sum, { content }) => sum + 4 + padded(content.length), 0);
  const packet = controlPacket(controlType.handshake, 0, 0, bodyBytes + extended);
  const { version, encryption, extension, initialSequence, mss, flightWindow, type, socketId, cookie } = handshake;
  packet.writeUInt32BE(version, 16);
  packet.writeUInt16BE(encryption, 20);
  packet.writeUInt16BE(extension, 22);
  [initialSequence, mss, flightWindow, type, socketId, cookie].forEach((word, index) => {
    packet.writeUInt32BE(word >>> 0, 24 + index * 4);
  });
  let at = headerBytes + bodyBytes;
  for (const { type: kind, content } of handshake.extensions) {
    packet.writeUInt16BE(kind, at);
    packet.writeUInt16BE(padded(content.length) / 4, at + 2);
    packet.set(content, at + 4);
    at += 4 + padded(content.length);
  }
  return packet;
}

/** Null for what is no handshake, or one of which an extension runs past the end. */
export function decodeHandshake(packet: Buffer): Handshake | null {
  if (packet.length < headerBytes + bodyBytes) return null;
  const type = packet.readUInt32BE(36);
  const extensions = type === handshakeType.conclusion ? decodeExtensions(packet) : [];
  if (extensions === null) return null;
  const initialSequence = packet.readUInt32BE(24);
  if (initialSequence > 0x7fff_ffff) return null;
  return {
    version: packet.readUInt32BE(16),
    encryption: packet.readUInt16BE(20),
    extension: packet.readUInt16BE(22),
    initialSequence,
    mss: packet.readUInt32BE(28),
    flightWindow: packet.readUInt32BE(32),
    type,
    socketId: packet.readUInt32BE(40),
    cookie: packet.readUInt32BE(44),
    extensions,
  };
}

/** The reason of a refusal (see `rejectReason`), null when the handshake is none. */
export function refusalOf({ type }: Handshake): number | null {
  return type >= rejectBase && type < 0x7fff_ffff ? type - rejectBase : null;
}

/** The answer that refuses `request` for `reason`. */
export function refuse(request: Handshake, reason: number): Handshake {
  return { ...request, version: 5, encryption: 0, extension: 0, type: rejectBase + reason, extensions: [] };
}

/** Body of the handshake extension message; latencies in milliseconds. */
export interface HandshakeMessage {
  readonly version: number;
  readonly flags: number;
  readonly receiveLatencyMs: number;
  readonly sendLatencyMs: number;
}

export function encodeHandshakeMessage(message: HandshakeMessage): Buffer {
  const content = Buffer.alloc(12);
  content.writeUInt32BE(message.version, 0);
  content.writeUInt32BE(message.flags, 4);
  content.writeUInt16BE(message.receiveLatencyMs, 8);
  content.writeUInt16BE(message.sendLatencyMs, 10);
  return content;
}

export function decodeHandshakeMessage(content: Buffer): HandshakeMessage | null {
  if (content.length < 12) return null;
  return {
    version: content.readUInt32BE(0),
    flags: content.readUInt32BE(4),
    receiveLatencyMs: content.readUInt16BE(8),
    sendLatencyMs: content.readUInt16BE(10),
  };
}

/** A stream id travels as little-endian words (§3.2.1.3), at most 512 bytes. */
export function encodeStreamId(streamId: string): Buffer {
  const text = Buffer.from(streamId);
  const content = Buffer.alloc(padded(text.length));
  content.set(text);
  return content.swap32();
}

/** Null for one that is too long or no UTF-8. */
export function decodeStreamId(content: Buffer): string | null {
  if (content.length > 512) return null;
  const bytes = Buffer.from(content).swap32();
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(end === -1 ? bytes : bytes.subarray(0, end));
  } catch {
    // The decoder has no other way to say that the bytes are no text.
    return null;
  }
}

function decodeExtensions(packet: Buffer): HandshakeExtension[] | null {
  const extensions: HandshakeExtension[] = [];
  let at = headerBytes + bodyBytes;
  while (at + 4 <= packet.length) {
    const end = at + 4 + packet.readUInt16BE(at + 2) * 4;
    if (end > packet.length) return null;
    extensions.push({ type: packet.readUInt16BE(at), content: packet.subarray(at + 4, end) });
    at = end;
  }
  return extensions;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

/** The flags that both of our ends send. */
export function ownFlags(tooLateDrop: boolean): number {
  const { tsbpdSend, tsbpdReceive, crypt, periodicNak, retransmitFlag } = peerFlags;
  return tsbpdSend | tsbpdReceive | crypt | periodicNak | retransmitFlag | (tooLateDrop ? peerFlags.tooLateDrop : 0);
}
