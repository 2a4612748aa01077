import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that kernels hand out by themselves, to outgoing connections for instance: those would be taken again
 * in a moment.
 */
const [firstPort, endPort] = [10_000, 32_768];
const maxTries = 100;
/** A port is free until its socket is bound, so nobody in this process is given it a second time. */
const given = new Set<number>();

/**
 * A port that is free for UDP and TCP, below those that the kernel assigns to sockets by itself. Rejects with the
 * system's error when a hundred were taken.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = randomInt(firstPort, endPort);
    const udp = createSocket('udp4');
    const tcp = createServer();
    try {
      udp.bind(port, host);
      await once(udp, 'listening');
      tcp.listen(port, host);
      await once(tcp, 'listening');
      if (given.has(port) && tries < maxTries) continue;
      given.add(port);
      return port;
    } catch (error) {
      if (tries === maxTries) throw error;
    } finally {
      udp.close();
      tcp.close();
    }
  }
}
