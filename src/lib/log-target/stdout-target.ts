import process from 'node:process';
import type { LogTarget } from './log-target.ts';

/** Standard output: one line of JSON for each event, for programs that read the output. */
export function createStdoutTarget(stream: NodeJS.WritableStream = process.stdout): LogTarget {
  return {
    write: (line) =>
      new Promise((resolve, reject) => {
        stream.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => Promise.resolve(),
  };
}
