import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = `${import.meta.dirname}/../..`;
const widest = 120;

/** The formatter breaks code, and leaves a line alone whose text is one literal. */
function isLiteral(line: string): boolean {
  return /['"`]/.test(line) && !/^\s*(\/\/|\/?\*)/.test(line);
}

function wideLines(pattern: string, isExempt: (line: string) => boolean): string[] {
  return globSync(pattern, { cwd: root }).flatMap((file) =>
    readFileSync(`${root}/${file}`, 'utf8')
      .split('\n')
      .flatMap((line, at) => (line.length > widest && !isExempt(line) ? [`${file}:${at + 1}`] : [])),
  );
}

describe(`no line is wider than ${widest} characters`, () => {
  it('in src', () => {
    expect(wideLines('src/**/*.ts', () => false)).toEqual([]);
  });

  it('in the page, texts aside', () => {
    expect(wideLines('web/src/**/*.{ts,tsx}', isLiteral)).toEqual([]);
  });

  // rustfmt leaves what a macro holds as it is.
  it('in the comments of the Rust engine', () => {
    expect(wideLines('native/src/**/*.rs', (line) => !/^\s*\/\//.test(line))).toEqual([]);
  });
});
