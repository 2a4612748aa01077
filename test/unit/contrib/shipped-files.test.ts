import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isShipped } from '../../../tools/package-plan.ts';

const repository = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const tracked = execFileSync('git', ['ls-files'], { cwd: repository, encoding: 'utf8' }).split('\n').filter(Boolean);

/** Files beside `src` that its programs read, as the sources name them: imports, places beside a module, schemas. */
const placeInSource = /(?:from|new URL\()\s*['`]((?:\.\.\/)+[^'`$]*)/g;
const schemaInSource = /'([a-z]+\.schema\.json)'/g;

function filesReadAtRunTime(): readonly string[] {
  const sources = tracked.filter((path) => path.startsWith('src/') && path.endsWith('.ts'));
  const named = sources.flatMap((source) => {
    const text = read(source);
    const places = [...text.matchAll(placeInSource)].map(([, place = '']) => normalize(join(dirname(source), place)));
    return [...places, ...[...text.matchAll(schemaInSource)].map(([, schema = '']) => schema)];
  });
  const paths = named.filter((path) => path !== './' && path !== '.' && !path.startsWith('src/'));
  return tracked.filter((file) => paths.some((path) => file === path || file.startsWith(path.replace(/\/?$/, '/'))));
}

/** What `COPY` brings into the image, and what of it `.dockerignore` lets through. */
function isInImage(file: string): boolean {
  return isCopied(file) && isLetThrough(file);
}

function isCopied(file: string): boolean {
  const sources = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' '),
  );
  return sources.some((source) => file === source || file.startsWith(`${source}/`));
}

/** The last line that fits decides; each may name a folder. */
function isLetThrough(file: string): boolean {
  const lines = read('.dockerignore').split('\n').filter(Boolean);
  const parents = file.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  const fits = (line: string): boolean => {
    const pattern = new RegExp(
      `^${line
        .replace('!', '')
        .replaceAll('.', String.raw`\.`)
        .replaceAll('*', '[^/]*')}$`,
    );
    return parents.some((path) => pattern.test(path));
  };
  return lines.findLast(fits)?.startsWith('!') ?? true;
}

describe('files that the programs read while they run', () => {
  const needed = filesReadAtRunTime();

  it('are found in the sources', () => {
    const some = [
      'bin/adit',
      'config.json',
      'contrib/systemd/adit-observer.socket',
      'edge.schema.json',
      'package.json',
    ];
    expect(needed).toEqual(expect.arrayContaining([...some, 'web/index.html', 'examples/media/viewer.html']));
  });

  it('are all in the packages, with every schema', () => {
    const schemas = tracked.filter((path) => /^[a-z]+\.schema\.json$/.test(path));
    expect(schemas).toHaveLength(4);
    expect([...needed, ...schemas].filter((path) => !isShipped(path))).toEqual([]);
  });

  it('are all in the image, which is sent what it copies', () => {
    expect(needed.filter((path) => !isInImage(path))).toEqual([]);
    expect(tracked.filter((path) => isCopied(path) && !isLetThrough(path))).toEqual([]);
  });
});
