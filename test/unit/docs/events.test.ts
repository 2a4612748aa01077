import { describe, expect, it } from 'vitest';
import { writtenEvents } from '../../support/event-messages.ts';
import { pages, readPage } from '../../support/markdown.ts';

/** Finds the message in a cell of a table or in a line, with any word or text in the place of a value. */
function pattern(message: string): RegExp {
  const parts = message.split('{}').map((part) => part.replaceAll(/[.*+?^$()[\]\\|{}]/g, '\\$&'));
  return new RegExp(parts.join('[^|\\n]*?'));
}

describe('the events that programs raise', () => {
  const documented = pages()
    .filter((path) => path.startsWith('docs/'))
    .map((path) => readPage(path))
    .join('\n');

  it('are on a page, with their exact words', () => {
    const events = writtenEvents();
    const missing = events.filter(({ message }) => !pattern(message).test(documented));
    expect(missing.map(({ at, message }) => `${at} ${message}`)).toEqual([]);
    expect(events.length).toBeGreaterThan(80);
  });
});
