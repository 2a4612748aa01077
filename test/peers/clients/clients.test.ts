import { describe, expect, it } from 'vitest';
import { clientScenarios } from './scenarios.ts';
import { vartaClients } from './varta-clients.ts';

/** `npm run clients:table` does the same for a minute and writes docs/observer-clients.md. */
const seconds = 10;

describe.each(vartaClients)('the unmodified client $name', (client) => {
  describe.concurrent('at an observer', () => {
    it.each(clientScenarios)('$name: $outcome', async ({ run, isRight }) => {
      const { clients, seen } = await run(client, seconds);
      expect(clients.length).toBeGreaterThan(0);
      const wrong = clients.flatMap((each, at) => {
        const of = seen[at];
        return of !== undefined && isRight(each, of) ? [] : [{ client: each, seen: of }];
      });
      expect(wrong).toEqual([]);
    });
  });
});
