import { describe, expect, it } from 'vitest';
import { ServiceNotice, type ServiceEnvironment } from '../../../../src/cli/service/service-notice.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

function bedOf(environment: ServiceEnvironment, error: Error | null = null) {
  const [clock, logger, said] = [new ManualClock(), new RecordingLogger(), [] as string[]];
  const notify = (states: readonly string[], onEnd: (error: Error | null) => void): void => {
    said.push(states.join(' '));
    onEnd(error);
  };
  return { clock, logger, said, service: new ServiceNotice({ clock, logger, notify }, environment) };
}

describe('what systemd is told', () => {
  it('is nothing under another supervisor', () => {
    const { clock, said, service } = bedOf({});
    service.ready();
    service.stopping();
    expect([said, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('is ready, signs of life well within the watchdog time, and stopping', () => {
    const { clock, said, service } = bedOf({ NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '30000000' });
    service.ready();
    clock.advance(29_999);
    expect(said).toEqual(['--ready', 'WATCHDOG=1', 'WATCHDOG=1']);
    service.stopping();
    clock.advance(60_000);
    expect(said.slice(3)).toEqual(['STOPPING=1']);
  });

  it('has no signs of life where no watchdog is set', () => {
    const { clock, said, service } = bedOf({ NOTIFY_SOCKET: '@notify' });
    service.ready();
    expect([said, clock.pendingTimers]).toEqual([['--ready'], 0]);
  });

  it('is missed with a warning when the tool fails', () => {
    const { logger, service } = bedOf({ NOTIFY_SOCKET: '@notify' }, new Error('not found'));
    service.ready();
    expect(logger.messages('warn')).toEqual(['systemd was not notified']);
  });
});
