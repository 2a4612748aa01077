/** One file of an archive. */
export interface ArchiveFile {
  /** At most 100 bytes of ASCII, with `/` between folders. */
  readonly name: string;
  readonly content: string;
}

const blockBytes = 512;
/** An archive ends with two empty blocks. */
const endBytes = 2 * blockBytes;
const nameBytes = 100;

/** A tar archive in the POSIX form (ustar) that every tar reads; files are readable by their owner only. */
export function tarArchive(files: readonly ArchiveFile[], modifiedMs: number): Buffer {
  const parts = files.flatMap(({ name, content }) => {
    const body = Buffer.from(content);
    const padding = Buffer.alloc((blockBytes - (body.length % blockBytes)) % blockBytes);
    return [header(name, body.length, modifiedMs), body, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(endBytes)]);
}

function header(name: string, bytes: number, modifiedMs: number): Buffer {
  if (Buffer.byteLength(name) > nameBytes) throw new RangeError(`a name of more than ${nameBytes} bytes: ${name}`);
  const block = Buffer.alloc(blockBytes);
  block.write(name, 0);
  block.write(octal(0o600, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(bytes, 11), 124);
  block.write(octal(Math.floor(modifiedMs / 1000), 11), 136);
  // The checksum counts itself as spaces.
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar\u000000', 257);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
