import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messagePattern, writtenEvents } from '../../support/event-messages.ts';
import { listFiles, pages, readPage, repository } from '../../support/markdown.ts';

/** The events of relay and edge; those of media flows, manager and observer have pages of their own. */
const ofOperations = /^src\/(relay\/events|edge\/events\/edge-event|protocol\/node\/link-event)/;

/** How the messages begin that the table "Events" of a page names; `{}` stands for each value. */
function namedBeginnings(page: string): readonly string[] {
  const section = page.split('\n## Events\n')[1]?.split('\n## ')[0] ?? '';
  const cells = section.split('\n').flatMap((line) => /^\| (.+?) +\|/.exec(line)?.[1] ?? []);
  return cells.flatMap((cell) => cell.replace(/ \(edge\)$/, '').split(', ')).map((name) => name.replace(/…/g, '{}'));
}

describe('the events that programs raise', () => {
  const documented = pages()
    .filter((path) => path.startsWith('docs/'))
    .map((path) => readPage(path))
    .join('\n');

  it('are on a page, with their exact words', () => {
    const events = writtenEvents();
    const missing = events.filter(({ message }) => !messagePattern(message).test(documented));
    expect(missing.map(({ at, message }) => `${at} ${message}`)).toEqual([]);
    expect(events.length).toBeGreaterThan(80);
  });

  it('are in the table that says what to do about each', () => {
    const beginnings = namedBeginnings(readPage('docs/operations.md'));
    const events = writtenEvents().filter(({ at }) => ofOperations.test(at));
    const missing = events.filter(({ message }) => !beginnings.some((begins) => message.startsWith(begins)));
    expect(missing.map(({ at, message }) => `${at} ${message}`)).toEqual([]);
    expect(events.length).toBeGreaterThan(30);
  });

  it.each(['src/relay/events/event-text.ts', 'src/edge/events/edge-event.ts'])('are raised, those of %s', (path) => {
    const read = (file: string): string => readFileSync(join(repository, file), 'utf8');
    const kinds = [...read(path).matchAll(/^ {2}'([a-z-]+)': /gm)].map(([, kind = '']) => kind);
    const sources = listFiles('src').filter((file) => file.endsWith('.ts') && !file.includes('/events/'));
    const code = sources.map(read).join('\n');
    expect(kinds.filter((kind) => !code.includes(`'${kind}'`))).toEqual([]);
    expect(kinds.length).toBeGreaterThan(10);
  });
});
