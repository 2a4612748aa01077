import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeBeat } from '../../../src/protocol/beat/beat-frame.ts';
import { startHookedObserver } from '../../support/observer/hooked-observer.ts';
import { until } from '../../support/until.ts';

/** As where the package is not installed. */
const withoutKoffi = `if (name === 'koffi') throw new Error("Cannot find package 'koffi'");`;

describe('without the package koffi', () => {
  it('the UNIX socket is refused with the reason and the remedy, with status 69', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    const { ended, log } = startHookedObserver(withoutKoffi, ['--threshold-ms', '500', '--socket', join(folder, 'o')]);
    expect(await ended).toBe(69);
    expect(log()).toMatch(/UNIX datagram sockets need the package koffi.*npm ci.*udp_port/s);
    await rm(folder, { recursive: true });
  });

  it('UDP works: a beat is accepted, and its silence is a Stall', async () => {
    const flags = ['--threshold-ms', '500', '--udp-port', '0', '--i-accept-plaintext-udp', '--print', 'all'];
    const { child, ended, out, log } = startHookedObserver(withoutKoffi, flags);
    await until(() => log().includes('observer started'));
    const port = Number(/"udp":"127\.0\.0\.1:(\d+)"/.exec(log())?.[1]);
    const agent = createSocket('udp4');
    agent.send(encodeBeat({ status: 'Ok', pid: 4242, timestamp: 1n, nonce: 1n, payload: 0 }), port, '127.0.0.1');
    await until(() => out().includes('"type":"Stall","pid":4242'));
    expect(out()).toContain('"type":"Beat","pid":4242');
    agent.close();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
