import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/lib/app-error.ts';
import { changedKeys } from '../../../src/config/changed-keys.ts';
import { ConfigReload, type ReloadOutcome } from '../../../src/config/config-reload.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

const nothing: ReloadOutcome = { applied: [], needsRestart: [] };

function bedOf(outcome: () => Promise<ReloadOutcome>): { reload: ConfigReload; logger: RecordingLogger } {
  const logger = new RecordingLogger();
  return { logger, reload: new ConfigReload(outcome, logger) };
}

describe('a reload of the config', () => {
  it('reports what is in force and what needs a restart', async () => {
    const { reload, logger } = bedOf(async () => ({ applied: ['log_level'], needsRestart: ['quic_addrs'] }));
    await reload.request('file changed');
    expect(logger.lines).toEqual([
      { level: 'warn', message: 'config changes need a restart', fields: { keys: ['quic_addrs'] } },
      { level: 'info', message: 'config reloaded', fields: { cause: 'file changed', applied: ['log_level'] } },
    ]);
  });

  it('is silent about a file that the program wrote itself, and answers every signal', async () => {
    const { reload, logger } = bedOf(async () => nothing);
    await reload.request('file changed');
    expect(logger.lines).toEqual([]);
    await reload.request('SIGHUP');
    expect(logger.messages('info')).toEqual(['config reloaded']);
  });

  it('goes on with the old config when the new one is wrong', async () => {
    const { reload, logger } = bedOf(() => Promise.reject(new AppError('config-invalid', 'quic_addrs is empty')));
    await reload.request('SIGHUP');
    expect(logger.lines).toEqual([
      {
        level: 'error',
        message: 'config not reloaded, the old one stays in force',
        fields: { cause: 'SIGHUP', problem: 'quic_addrs is empty' },
      },
    ]);
  });

  it('does not claim that the old config stays where a part of the new one is in force', async () => {
    const problems = ["tunnel 'b': its address is taken"];
    const { reload, logger } = bedOf(async () => ({ applied: ['log_level'], needsRestart: [], failed: problems }));
    await reload.request('file changed');
    expect(logger.lines).toEqual([
      {
        level: 'error',
        message: 'config reloaded in part',
        fields: { cause: 'file changed', applied: ['log_level'], problems },
      },
    ]);
  });

  it('runs one time after the other', async () => {
    let running = 0;
    let most = 0;
    const { reload } = bedOf(async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return nothing;
    });
    await Promise.all([reload.request('SIGHUP'), reload.request('file changed'), reload.request('SIGHUP')]);
    expect(most).toBe(1);
  });
});

describe('the keys in which two configs differ', () => {
  it('are reported with their path, lists as one value', () => {
    const [a, b] = [
      { same: 1, list: [1], inner: { x: 1, y: 2 }, gone: 1, shape: null },
      { same: 1, list: [2], inner: { x: 1, y: 3 }, fresh: 1, shape: { kind: 'file' } },
    ];
    expect(changedKeys(a, b).toSorted()).toEqual(['fresh', 'gone', 'inner.y', 'list', 'shape']);
    expect(changedKeys(a, a)).toEqual([]);
  });
});
