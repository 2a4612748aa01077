import { describe, expect, it } from 'vitest';
import {
  closeInfo,
  isCertificateAlert,
  peerText,
  reasonBytes,
  type ClosedHandle,
} from '../../../../src/quic/quiche/close-info.ts';

function closed(over: Partial<Record<keyof ClosedHandle, unknown>>): ClosedHandle {
  const handle = { peerError: null, localError: null, isTimedOut: false, ...over };
  return {
    peerError: () => handle.peerError as ReturnType<ClosedHandle['peerError']>,
    localError: () => handle.localError as ReturnType<ClosedHandle['localError']>,
    isTimedOut: () => handle.isTimedOut === true,
  };
}

const words = Buffer.from('bye\u0000\u001b[2J now');

describe('why a connection ended', () => {
  it.each([
    [{ peerError: { isApp: true, errorCode: 9, reason: words } }, 'peer-application', 9, 'bye[2J now'],
    [{ peerError: { isApp: false, errorCode: 2, reason: Buffer.alloc(0) } }, 'peer-transport', 2, 'connection refused'],
    [
      { peerError: { isApp: false, errorCode: 0x178, reason: Buffer.alloc(0) } },
      'peer-transport',
      0x178,
      'no common application protocol (ALPN)',
    ],
    [
      { peerError: { isApp: false, errorCode: 77, reason: Buffer.alloc(0) } },
      'peer-transport',
      77,
      'transport error 77',
    ],
    [{ isTimedOut: true }, 'idle', null, 'no packet within the idle timeout'],
    [{ localError: { isApp: false, errorCode: 10, reason: Buffer.alloc(0) } }, 'error', 10, 'protocol violation'],
    [{}, 'reset', null, 'the peer no longer knows the connection (stateless reset)'],
  ])('is told for %j', (over, kind, code, reason) => {
    expect(closeInfo(closed(over))).toEqual({ kind, code, reason });
  });

  it('names certificates where they are the cause', () => {
    expect([0x12a, 0x12e, 0x130].every((code) => isCertificateAlert(code))).toBe(true);
    expect([0x178, 2, null].some((code) => isCertificateAlert(code))).toBe(false);
    const info = closeInfo(closed({ localError: { isApp: false, errorCode: 0x12e, reason: Buffer.alloc(0) } }));
    expect(info.reason).toContain('certificate');
  });
});

describe('words of a close', () => {
  it('of a peer are cut and cleaned', () => {
    expect(peerText(Buffer.from('x'.repeat(5000)))).toHaveLength(256);
    expect(peerText(Uint8Array.of(0xff, 0x41, 0x0a))).toBe('\ufffdA');
  });

  it('of ours are cut between characters', () => {
    expect(reasonBytes('short')).toEqual(new TextEncoder().encode('short'));
    const long = reasonBytes('ä'.repeat(200));
    expect(long).toHaveLength(256);
    expect(new TextDecoder('utf-8', { fatal: true }).decode(long)).toBe('ä'.repeat(128));
    expect(reasonBytes('€'.repeat(200))).toHaveLength(255);
  });
});
