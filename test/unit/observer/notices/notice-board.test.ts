import { describe, expect, it } from 'vitest';
import { NoticeBoard } from '../../../../src/observer/notices/notice-board.ts';
import type { Notice } from '../../../../src/observer/notices/notice-limit.ts';
import type { BeatStatus } from '../../../../src/protocol/beat/beat-frame.ts';

const second = 1_000_000_000;

function board() {
  const notices: Notice[] = [];
  const told = new NoticeBoard(
    (pid) => (pid === 7 ? 'encoder' : null),
    (notice) => void notices.push(notice),
  );
  const at = (seconds: number) => BigInt(Math.round(seconds * second));
  return {
    messages: () => notices.map(({ severity, message }) => `${severity}: ${message}`),
    notices,
    sweep: (seconds: number) => told.sweep(seconds * second),
    beat: (pid: number, status: BeatStatus, seconds: number): void => {
      const rest = { payload: 0, nonce: 1n, origin: 'KernelAttested', pid_ns_inode: 1n } as const;
      told.event({ type: 'Beat', pid, status, ...rest, observer_ns: at(seconds) });
    },
    stall: (pid: number, lastSeconds: number, seconds: number): void => {
      const rest = { last_nonce: 1n, origin: 'KernelAttested', pid_ns_inode: 1n } as const;
      told.event({ type: 'Stall', pid, last_ns: at(lastSeconds), ...rest, observer_ns: at(seconds) });
    },
    forged: (pid: number, seconds: number): void => {
      told.event({ type: 'AuthFailure', claimed_pid: pid, observer_ns: at(seconds) });
    },
  };
}

describe('what an operator reads of beats', () => {
  it('is silence and its end, with the label of the process', () => {
    const { beat, stall, messages } = board();
    beat(7, 'Ok', 0);
    beat(7, 'Ok', 0.2);
    stall(7, 0.2, 1.2);
    beat(7, 'Ok', 3);
    expect(messages()).toEqual([
      'critical: Process encoder (7) has been silent for 1000 ms',
      'info: Process encoder (7) beats again',
    ]);
  });

  it('is each change of status', () => {
    const { beat, messages } = board();
    for (const status of ['Ok', 'Degraded', 'Degraded', 'Critical', 'Ok'] as const) beat(8, status, 1);
    expect(messages()).toEqual([
      'warning: Process 8 is Degraded',
      'critical: Process 8 is Critical',
      'info: Process 8 is Ok',
    ]);
  });

  it('has a first beat that is not Ok', () => {
    const { beat, messages } = board();
    beat(8, 'Degraded', 1);
    expect(messages()).toEqual(['warning: Process 8 is Degraded']);
  });

  it('has the first of what anyone can cause, and then a count a minute', () => {
    const { forged, sweep, notices } = board();
    for (let count = 0; count < 100; count += 1) forged(9, count / 10);
    expect(notices).toHaveLength(1);
    sweep(30);
    expect(notices).toHaveLength(1);
    sweep(61);
    expect(notices).toHaveLength(2);
    expect(notices[1]?.details).toMatchObject({ suppressed: 99 });
    sweep(200);
    expect(notices).toHaveLength(2);
  });

  it('is not flooded by a status that flaps', () => {
    const { beat, messages } = board();
    for (let count = 0; count < 1000; count += 1) beat(8, count % 2 === 0 ? 'Ok' : 'Degraded', count / 10_000);
    expect(messages()).toHaveLength(10);
  });

  it('holds no bigint, which JSON cannot hold', () => {
    const { stall, notices } = board();
    stall(7, 0, 1);
    expect(() => JSON.stringify(notices)).not.toThrow();
    expect(notices[0]?.details).toMatchObject({ pid: 7, last_ns: '0' });
  });
});
