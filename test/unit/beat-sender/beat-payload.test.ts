import { describe, expect, it } from 'vitest';
import { beatPayload } from '../../../src/beat-sender/program-beats.ts';

const none = { managerConnected: false, draining: false, certificateEndsSoon: false, diskFull: false };

describe('the payload of a program’s beat', () => {
  it('names the program', () => {
    expect(beatPayload('relay', { status: 'Ok', ...none }, 0)).toBe(0x0100);
    expect(beatPayload('edge', { status: 'Ok', ...none }, 0)).toBe(0x0200);
    expect(beatPayload('manager', { status: 'Ok', ...none }, 0)).toBe(0x0300);
  });

  it('has a bit for each fact', () => {
    const facts = {
      status: 'Ok' as const,
      managerConnected: true,
      draining: true,
      certificateEndsSoon: true,
      diskFull: true,
    };
    expect(beatPayload('relay', facts, 0) & 0xff).toBe(0b1111);
    expect(beatPayload('relay', { ...facts, draining: false }, 0) & 0xff).toBe(0b1101);
  });

  it('has the lag of the event loop, capped', () => {
    expect(beatPayload('relay', { status: 'Ok', ...none }, 12.4) >>> 16).toBe(12);
    expect(beatPayload('relay', { status: 'Ok', ...none }, 1e9) >>> 16).toBe(0xffff);
    expect(beatPayload('relay', { status: 'Ok', ...none }, -5) >>> 16).toBe(0);
  });
});
