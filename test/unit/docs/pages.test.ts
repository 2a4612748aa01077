import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  anchors,
  citations,
  fences,
  listFiles,
  pages,
  readPage,
  repository,
  sections,
} from '../../support/markdown.ts';

const fenceKinds = ['sh', 'sh background', 'console', 'text', 'json', 'js'];
const pathInBackticks = /`((?:bench|bin|certs|contrib|docs|examples|native|scripts|src|test|tools|\.ci)\/[\w./-]+)`/g;

describe.each(pages())('%s', (path) => {
  const page = readPage(path);

  it('links to pages and headings that are there', () => {
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const dead = links.filter(([, target = '', anchor]) => {
      const file = target === '' ? path : normalize(join(dirname(path), target));
      if (!existsSync(join(repository, file))) return true;
      return anchor !== undefined && !anchors(readPage(file)).has(anchor);
    });
    expect(dead.map(([link]) => link)).toEqual([]);
  });

  it('names files and npm scripts that exist', () => {
    const files = [...page.matchAll(pathInBackticks)].map(([, name = '']) => name);
    // What is built, kept or written is not in a checkout.
    const made = /^(native\/adit-native\.node|bench\/results)/;
    expect(files.filter((name) => !made.test(name) && !existsSync(join(repository, name)))).toEqual([]);
    const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };
    const named = [...page.matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('cites sections that are there', () => {
    const missing = citations(page).filter(({ page: target, section }) => {
      const file = [join(dirname(path), target), target].find((name) => existsSync(join(repository, name)));
      return section !== null && (file === undefined || !sections(readPage(file)).has(section));
    });
    expect(missing).toEqual([]);
    const own = [...page.matchAll(/(?<!\.md[)`,]* |RFC \d+ )§(\d+(?:\.\d+)*)/g)].map(([, number = '']) => number);
    expect(own.filter((number) => !sections(page).has(number))).toEqual([]);
  });

  it('says of each block what it is', () => {
    expect(fences(page).flatMap(({ info }) => (fenceKinds.includes(info) ? [] : [info]))).toEqual([]);
  });
});

it('every page can be found from README.md', () => {
  const found = new Set<string>();
  const follow = (path: string): void => {
    if (found.has(path) || !existsSync(join(repository, path))) return;
    found.add(path);
    for (const [, target = ''] of readPage(path).matchAll(/\]\((?!https?:)([^)#]+\.md)/g)) {
      follow(normalize(join(dirname(path), target)));
    }
  };
  follow('README.md');
  // They stand where they are needed: in the folder for certificates, and where the host of the repository looks.
  found.add('certs/README.md').add('.github/pull_request_template.md');
  expect([...found].toSorted()).toEqual(pages().toSorted());
});

describe('comments', () => {
  /** Their own folder's pages may be named without a path, such as README.md. */
  const sources = listFiles('src', 'native/src', 'test', 'bench', 'tools', 'web').filter(
    (path) => /\.(ts|tsx|js|rs)$/.test(path) && existsSync(join(repository, path)),
  );

  it('name pages and sections that are there', () => {
    const dead = sources.flatMap((path) =>
      citations(readPage(path))
        .filter(({ page, section }) => (page.includes('/') || section !== null) && !isThere(path, page, section))
        .map(({ page, section }) => `${path}: ${page}${section === null ? '' : ` §${section}`}`),
    );
    expect(dead).toEqual([]);
    expect(sources.length).toBeGreaterThan(300);
  });

  function isThere(path: string, page: string, section: string | null): boolean {
    const file = [page, join(dirname(path), page)].find((name) => existsSync(join(repository, name)));
    return file !== undefined && (section === null || sections(readPage(file)).has(section));
  }
});
