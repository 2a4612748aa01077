import { describe, expect, it } from 'vitest';
import { PeerPath } from '../../../../src/quic/quiche/peer-path.ts';

const home = ['192.0.2.1', 1000] as const;
const away = ['198.51.100.7', 2000] as const;

describe('the path to a peer', () => {
  it('moves with the first authentic packet, sends little until the second, and tells of it then', () => {
    const path = new PeerPath(...home);
    expect(path.onAuthentic(...away, 100, 0)).toBe(false);
    expect(path.address).toEqual({ ip: away[0], port: away[1] });
    expect(path.proved).toBe(false);
    expect(path.maySend(300)).toBe(true);
    path.onSent(250);
    expect(path.maySend(51)).toBe(false);
    expect(path.onAuthentic(...away, 40, 10)).toBe(true);
    expect(path.maySend(1_000_000)).toBe(true);
    expect(path.onAuthentic(...away, 40, 20)).toBe(false);
  });

  it('goes back at once from an address that was never proved, and tells nobody', () => {
    const path = new PeerPath(...home);
    path.onAuthentic(...away, 100, 0);
    expect(path.onAuthentic(...home, 100, 1)).toBe(false);
    expect(path.address.port).toBe(home[1]);
    expect(path.proved).toBe(true);
  });

  it('is not moved back by a packet that was late on the old path', () => {
    const path = new PeerPath(...home);
    path.onAuthentic(...away, 100, 0);
    path.onAuthentic(...away, 100, 1);
    expect(path.onAuthentic(...home, 100, 400)).toBe(false);
    expect(path.address.port).toBe(away[1]);
    path.onAuthentic(...home, 100, 600);
    expect(path.address.port).toBe(home[1]);
    expect(path.onAuthentic(...home, 100, 601)).toBe(true);
  });

  it('hides the zone of a link-local address from the program, but sends with it', () => {
    const path = new PeerPath('fe80::1%eth0', 5);
    expect(path.address.ip).toBe('fe80::1');
    expect(path.ip).toBe('fe80::1%eth0');
  });
});
