import { describe, expect, it } from 'vitest';
import { messagePattern, writtenEvents } from '../../support/event-messages.ts';
import { pages, readPage } from '../../support/markdown.ts';

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
});
