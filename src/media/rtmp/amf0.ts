/** A value of AMF0 (Action Message Format, 2007). Objects and arrays hold at most what the limits below allow. */
export type AmfValue = number | boolean | string | null | AmfObject | readonly AmfValue[];

export interface AmfObject {
  readonly [key: string]: AmfValue;
}

/** Nothing that a publisher says is deeper. */
const maxDepth = 8;
/** Values in one message, in all its objects and arrays together. */
const maxValues = 1024;

const marker = {
  ...{ number: 0x00, boolean: 0x01, string: 0x02, object: 0x03, null: 0x05, undefined: 0x06, ecmaArray: 0x08 },
  ...{ end: 0x09, strictArray: 0x0a, date: 0x0b, longString: 0x0c },
} as const;

/** The values of a message; null where it is cut short, too deep, or holds a type that no command uses. */
export function decodeAmf(bytes: Buffer): readonly AmfValue[] | null {
  const reader = new AmfReader(bytes);
  const values: AmfValue[] = [];
  while (!reader.isAtEnd) {
    const value = reader.value(0);
    if (value === undefined) return null;
    values.push(value);
  }
  return values;
}

/** Undefined stands for what cannot be read; there is no way on behind it. */
class AmfReader {
  readonly #bytes: Buffer;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  value(depth: number): AmfValue | undefined {
    if (depth > maxDepth || ++this.#values > maxValues || this.isAtEnd) return undefined;
    const type = this.#bytes[this.#at++];
    switch (type) {
      case marker.number:
        return this.#number();
      case marker.boolean:
        return this.#has(1) ? this.#bytes[this.#at++] !== 0 : undefined;
      case marker.string:
        return this.#text(2);
      case marker.longString:
        return this.#text(4);
      case marker.null:
      case marker.undefined:
        return null;
      case marker.object:
        return this.#object(depth);
      default:
        return this.#rare(type, depth);
    }
  }

  #rare(type: number | undefined, depth: number): AmfValue | undefined {
    if (type === marker.ecmaArray) {
      if (!this.#has(4)) return undefined;
      this.#at += 4;
      return this.#object(depth);
    }
    if (type === marker.strictArray) return this.#array(depth);
    if (type !== marker.date || !this.#has(10)) return undefined;
    const time = this.#number();
    this.#at += 2;
    return time;
  }

  #number(): number | undefined {
    if (!this.#has(8)) return undefined;
    this.#at += 8;
    return this.#bytes.readDoubleBE(this.#at - 8);
  }

  #text(lengthBytes: 2 | 4): string | undefined {
    if (!this.#has(lengthBytes)) return undefined;
    const length = this.#bytes.readUIntBE(this.#at, lengthBytes);
    this.#at += lengthBytes;
    if (!this.#has(length)) return undefined;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  #object(depth: number): AmfObject | undefined {
    const entries = new Map<string, AmfValue>();
    for (;;) {
      const key = this.#text(2);
      if (key === undefined) return undefined;
      if (key === '' && this.#bytes[this.#at] === marker.end) {
        this.#at++;
        return Object.fromEntries(entries);
      }
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      entries.set(key, value);
    }
  }

  #array(depth: number): readonly AmfValue[] | undefined {
    if (!this.#has(4)) return undefined;
    const count = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    const values: AmfValue[] = [];
    while (values.length < count) {
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  #has(bytes: number): boolean {
    return this.#at + bytes <= this.#bytes.length;
  }
}

/** Texts of at most 65,535 bytes, numbers, and objects of them. */
export function encodeAmf(
  values: readonly (number | string | null | Readonly<Record<string, number | string>>)[],
): Buffer {
  return Buffer.concat(values.flatMap((value) => encodeValue(value)));
}

function encodeValue(value: number | string | null | Readonly<Record<string, number | string>>): readonly Buffer[] {
  if (value === null) return [Buffer.from([marker.null])];
  if (typeof value === 'string') return [Buffer.from([marker.string]), shortText(value)];
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return [bytes];
  }
  const entries = Object.entries(value).flatMap(([key, each]) => [shortText(key), ...encodeValue(each)]);
  return [Buffer.from([marker.object]), ...entries, Buffer.from([0, 0, marker.end])];
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
