import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '../..');

export interface Fence {
  /** What stands behind the opening backticks, such as `sh background`; empty for none. */
  readonly info: string;
  readonly text: string;
}

/** Every page of the documentation that git knows or would take. */
export function pages(): readonly string[] {
  return listFiles('*.md').filter((path) => existsSync(join(repository, path)));
}

/** What a checkout has, and what is new and not ignored. */
export function listFiles(...patterns: readonly string[]): readonly string[] {
  const args = ['ls-files', '-co', '--exclude-standard', '--', ...patterns];
  return execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).split('\n').filter(Boolean);
}

export function readPage(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

/** The fenced blocks, those inside lists too, without their indent. */
export function fences(markdown: string): readonly Fence[] {
  return [...markdown.matchAll(/^( *)```(.*)\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', info = '', text = '']) => ({
    info,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** What a reader is told to type, in order. */
export function shellBlocks(markdown: string): readonly string[] {
  return fences(markdown).flatMap(({ info, text }) => (/^sh( background)?$/.test(info) ? [text] : []));
}

/** Where a link to a part of the page may lead, as GitHub names headings. */
export function anchors(markdown: string): ReadonlySet<string> {
  const text = markdown.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(headings);
}

/** The numbers of its headings, such as `2` and `2.4`. */
export function sections(markdown: string): ReadonlySet<string> {
  return new Set([...markdown.matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number = '']) => number));
}

/** A page and, where it follows, one of its sections: `docs/protocol/tunnel.md §2.4`. */
export interface Citation {
  readonly page: string;
  readonly section: string | null;
}

/** The pages that a text names, links included, once for each section that follows. Addresses do not count. */
export function citations(text: string): readonly Citation[] {
  const named =
    /(?<![\w./:-])((?:\.{1,2}\/)*[\w-][\w./-]*\.md)(?!\w)(?:#[\w-]+)?[)`]*((?:(?:,? | and | to )§\d+(?:\.\d+)*)*)/g;
  return [...text.matchAll(named)].flatMap(([, page = '', list = '']): Citation[] => {
    const sections = [...list.matchAll(/§(\d+(?:\.\d+)*)/g)].map(([, section = '']) => section);
    return sections.length === 0 ? [{ page, section: null }] : sections.map((section) => ({ page, section }));
  });
}
