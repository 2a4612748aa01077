import { describe, expect, it } from 'vitest';
import { DescriptorWatch } from '../../../src/lib/descriptor-watch.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

function watch() {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const state = { code: '' };
  const tryOpen = (): void => {
    if (state.code !== '') throw Object.assign(new Error('cannot be opened'), { code: state.code });
  };
  const descriptors = new DescriptorWatch({ clock, logger, tryOpen });
  descriptors.start();
  return { clock, logger, state, descriptors };
}

describe('the watch over file descriptors', () => {
  it.each(['EMFILE', 'ENFILE'])('logs once when there are none (%s) and when there are again', (code) => {
    const { clock, logger, state, descriptors } = watch();
    clock.advance(5000);
    expect([descriptors.shortage(), logger.messages('warn')]).toEqual([null, []]);
    state.code = code;
    clock.advance(5000);
    expect(logger.messages('warn')).toEqual(['no file descriptor is left, connections are refused']);
    state.code = '';
    clock.advance(5000);
    expect(logger.messages('info')).toEqual(['there are file descriptors again']);
  });

  it('remembers a shortage for 20 s', () => {
    const { clock, state, descriptors } = watch();
    state.code = 'EMFILE';
    clock.advance(1000);
    state.code = '';
    clock.advance(20_000);
    expect(descriptors.shortage()).toContain('no file descriptor was left');
    clock.advance(1000);
    expect(descriptors.shortage()).toBeNull();
  });

  it('takes no other failure for a shortage, and has no timer after it was stopped', () => {
    const { clock, state, descriptors } = watch();
    state.code = 'ENOENT';
    clock.advance(3000);
    expect(descriptors.shortage()).toBeNull();
    descriptors.stop();
    descriptors.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('can open something on this machine', () => {
    const clock = new ManualClock();
    const descriptors = new DescriptorWatch({ clock, logger: new RecordingLogger() });
    descriptors.start();
    clock.advance(1000);
    expect(descriptors.shortage()).toBeNull();
    descriptors.stop();
  });
});
