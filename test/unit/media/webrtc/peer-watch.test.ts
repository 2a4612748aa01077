import { describe, expect, test } from 'vitest';
import { PeerWatch } from '../../../../src/media/webrtc/peer-watch.ts';

describe('the peer of a WebRTC session', () => {
  test('has ten seconds to connect', () => {
    const watch = new PeerWatch(5000);
    expect(watch.verdict(14_999)).toBeNull();
    expect(watch.verdict(15_000)).toBe('not connected within 10 s (ICE)');
  });

  test('is gone when nothing has come for ten seconds, however long it has been there', () => {
    const watch = new PeerWatch(0);
    watch.noteActivity(2000);
    for (let nowMs = 2000; nowMs < 3_600_000; nowMs += 9000) {
      expect(watch.verdict(nowMs)).toBeNull();
      watch.noteActivity(nowMs);
    }
    const watched = new PeerWatch(0);
    watched.noteActivity(1000);
    expect(watched.verdict(10_999)).toBeNull();
    expect(watched.verdict(11_000)).toBe('nothing came for 10 s');
  });
});
