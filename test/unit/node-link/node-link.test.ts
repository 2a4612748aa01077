import { expect, it } from 'vitest';
import { realConfigFileSystem } from '../../../src/config/config-file.ts';
import { FailingJournalFiles } from '../../support/fakes/failing-journal-files.ts';
import { FakeDialler } from '../../support/fakes/fake-dialler.ts';
import { ScaledClock } from '../../support/fakes/scaled-clock.ts';
import { TestNodeLink } from '../../support/programs/test-node-link.ts';
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
  await until(() => sent().length > 1);
  expect(sent()).toEqual(['from an earlier life', 'Connected to manager']);
});

it.each(['the journal', 'the credentials'])('does not wait for ever for a disk that hangs with %s', async (what) => {
  const [journalFiles, clock, dialler] = [new FailingJournalFiles(), new ScaledClock(100), new FakeDialler()];
  let hangs = false;
  const open: typeof realConfigFileSystem.open = async (...file) => {
    if (hangs) await new Promise(() => undefined);
    return realConfigFileSystem.open(...file);
  };
  const configFileSystem = { ...realConfigFileSystem, open };
  await using node = await TestNodeLink.start({ manager, journalFiles, configFileSystem, clock, dialler });
  await until(() => dialler.sockets.length > 0);
  dialler.last.open();
  dialler.last.receive({ type: 'auth_ok' });
  if (what === 'the journal') {
    journalFiles.failing = 'syncs without end';
    node.raise('the last event');
  } else {
    hangs = true;
    const action = { type: 'rotate_secret', new_secret: 'n' };
    dialler.last.receive({ type: 'command', payload: { command_id: '1', action } });
  }
  await node.link.stop();
  expect(node.logger.messages('warn')).toContain('the disk hangs, not waiting for it any longer');
});
