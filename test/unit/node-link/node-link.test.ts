import { expect, it } from 'vitest';
import { FailingJournalFiles } from '../../support/failing-journal-files.ts';
import { FakeDialler } from '../../support/fake-dialler.ts';
import { ScaledClock } from '../../support/scaled-clock.ts';
import { TestNodeLink } from '../../support/test-node-link.ts';
import { until } from '../../support/until.ts';

const manager = { enabled: true, url: 'wss://manager.example/ws/node', node_id: 'n-1', node_secret: 's' };

it('brings events that could not be read from the disk for a while, without waiting for another one', async () => {
  await using earlier = await TestNodeLink.start({ manager, dialler: new FakeDialler() });
  earlier.raise('from an earlier life');
  await earlier.link.stop();

  const [journalFiles, clock, dialler] = [new FailingJournalFiles(), new ScaledClock(100), new FakeDialler()];
  const { directory } = earlier;
  await using node = await TestNodeLink.start({ manager, directory, journalFiles, clock, dialler });
  const sent = () => dialler.last.sent.flatMap(({ type, payload }) => (type === 'event' ? [payload?.['message']] : []));
  journalFiles.failing = 'reads';
  await until(() => dialler.sockets.length > 0);
  dialler.last.open();
  dialler.last.receive({ type: 'auth_ok' });
  await until(() => node.logger.messages('error').includes('events could not be read back'));
  expect(sent()).toEqual([]);
  journalFiles.failing = 'nothing';
  await until(() => sent().length > 0);
  expect(sent()).toEqual(['from an earlier life', 'Connected to manager']);
});
