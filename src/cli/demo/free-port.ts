import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const host = '127.0.0.1';

/** A loopback port that was free for UDP and TCP a moment ago. */
export async function freePort(): Promise<number> {
  const udp = createSocket('udp4');
  udp.bind(0, host);
  await once(udp, 'listening');
  const { port } = udp.address();
  const tcp = createServer().listen(port, host);
  try {
    await once(tcp, 'listening');
    return port;
  } catch {
    // Taken for TCP alone: another one.
    return await freePort();
  } finally {
    udp.close();
    tcp.close();
  }
}
