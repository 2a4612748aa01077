import { readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { idOf, isPromiseId, promiseIds } from './promises.ts';

/** A test that proves a promise, as its source names it. */
export interface Proof {
  readonly id: string;
  readonly name: string;
  readonly file: string;
}

/** A name is the first argument of a call that has another one. */
const nameArgument = /\(\s*(['"`])((?:[ISALMT]|M[A-J])\d+\b(?:\\.|(?!\1)[^\\])*)\1\s*,/g;

/** Every test under `root` whose name begins with an id, in the order of the ids and files. */
export function findProofs(root: string): Proof[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).toSorted();
  return files
    .flatMap((file) => proofsIn(readFileSync(`${root}/${file}`, 'utf8'), file))
    .toSorted((a, b) => order(a.id) - order(b.id));
}

/** The source of a test: from its name to the next test or block of its file. */
export function sourceOf(root: string, { file, name }: Proof): string {
  const source = readFileSync(`${root}/${file}`, 'utf8');
  const written = [...source.matchAll(nameArgument)].find(
    (match) => (match[2] ?? '').replaceAll(/\\(.)/g, '$1') === name,
  );
  const from = written?.index ?? source.length;
  const end = source.slice(from + 1).search(/^ *(?:it|test|describe)\b/m);
  return end < 0 ? source.slice(from) : source.slice(from, from + 1 + end);
}

/** Those of one source text. */
export function proofsIn(source: string, file: string): Proof[] {
  return [...source.matchAll(nameArgument)].flatMap((match) => {
    const name = (match[2] ?? '').replaceAll(/\\(.)/g, '$1');
    const id = idOf(name);
    return id === null ? [] : [{ id, name, file }];
  });
}

/** Those of relay and edge first, then the manager's; an id that is no promise comes last. */
function order(id: string): number {
  return isPromiseId(id) ? promiseIds.indexOf(id) : promiseIds.length;
}
