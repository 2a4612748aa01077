import { connect, createServer, type Socket } from 'node:net';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DemoTunnel } from './demo-config.ts';

/** Large pieces that are made once: this process shares the machine with what it measures. */
const pieceBytes = 256 * 1024;
const warmUpMs = 1000;

/**
 * Bytes a second that pass one way through the tunnel, as the far end receives them. The first second does not count:
 * windows grow in it. Throws AppError `connect-failed` when the connection breaks.
 */
export async function measureTcpRate(
  { local, destination }: Pick<DemoTunnel, 'local' | 'destination'>,
  seconds: number,
  clock: Clock,
): Promise<number> {
  let received = 0;
  const server = createServer((socket) => {
    socket.on('data', (bytes: Buffer) => (received += bytes.length));
    // The sender is cut off at the end; its own error shows that where it matters.
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(destination.port, destination.host, resolve);
  });
  const sender = connect(local);
  try {
    const broken = new Promise<never>((_, reject) =>
      sender.once('error', reject).once('close', () => reject(new Error('closed'))),
    );
    sender.once('connect', () => keepSending(sender));
    const wait = (ms: number): Promise<void> =>
      Promise.race([new Promise<void>((resolve) => void clock.setTimeout(resolve, ms)), broken]);
    await wait(warmUpMs);
    const [startBytes, startMs] = [received, clock.monotonicMs()];
    await wait(seconds * 1000);
    return ((received - startBytes) * 1000) / (clock.monotonicMs() - startMs);
  } catch (cause) {
    throw new AppError('connect-failed', 'the TCP transfer through the tunnel broke off', { cause });
  } finally {
    sender.removeAllListeners('close').destroy();
    server.close();
  }
}

function keepSending(sender: Socket): void {
  const piece = Buffer.alloc(pieceBytes, 0x47);
  const fill = (): void => {
    while (!sender.destroyed && sender.write(piece));
  };
  sender.on('drain', fill);
  fill();
}
