import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { createStore } from '../../../src/manager/store/create-store.ts';
import { openDatabase } from '../../../src/manager/store/open-database.ts';
import { sampleNode } from '../../support/manager/sample-rows.ts';
import { settle } from '../../support/fakes/manual-clock.ts';

it('sends statements that meet to the database at once, so that they share a commit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'adit-embedded-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const database = await openDatabase(`sqlite:${join(folder, 'manager.db')}`, {
    clock: new SystemClock(),
    onError: () => undefined,
  });
  onTestFinished(() => database.close());
  const store = createStore(database);
  const before = database.writes() ?? 0;
  const inserted = Promise.all(
    Array.from({ length: 500 }, (_, index) => store.nodes.insert(sampleNode({ name: `n${index}` }))),
  );
  // One turn of the event loop: nothing was answered that could have let another one go.
  await settle();
  expect((database.writes() ?? 0) - before).toBe(500);
  expect(await inserted).toEqual(Array.from({ length: 500 }, () => true));
});
