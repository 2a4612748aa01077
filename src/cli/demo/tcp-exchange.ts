import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../lib/app-error.ts';
import type { HostPort } from '../../lib/host-port.ts';
import type { Random } from '../../lib/random.ts';

/** What one side of the transfer saw. */
interface SideResult {
  readonly sent: string;
  readonly received: string;
}

export interface TcpExchangeResult {
  /** Both directions arrived whole, by SHA-256. */
  readonly intact: boolean;
}

/** Counts while it runs, for the live view. */
export interface TcpProgress {
  receivedBytes: number;
}

const chunkBytes = 64 * 1024;

/**
 * Sends `bytes` random bytes through the tunnel in both directions at once and compares them by SHA-256. One end is
 * `local`, where the egress edge listens; the other a server at `destination`, where the ingress edge forwards to.
 */
export async function exchangeTcp(
  settings: { readonly local: HostPort; readonly destination: HostPort; readonly bytes: number },
  random: Random,
  progress: TcpProgress,
): Promise<TcpExchangeResult> {
  const server = createServer({ allowHalfOpen: true });
  try {
    const farEnd = acceptOne(server, settings.destination);
    const near = connect({ ...settings.local, allowHalfOpen: true });
    const exchange = (socket: Socket): Promise<SideResult> => runSide(socket, settings.bytes, random, progress);
    const [nearSide, farSide] = await Promise.all([exchange(near), farEnd.then(exchange)]);
    return { intact: nearSide.sent === farSide.received && farSide.sent === nearSide.received };
  } catch (cause) {
    throw new AppError('connect-failed', 'the TCP transfer through the tunnel broke off', { cause });
  } finally {
    server.close();
  }
}

function acceptOne(server: Server, address: HostPort): Promise<Socket> {
  return new Promise((resolve, reject) => {
    server.once('connection', resolve).once('error', reject).listen(address.port, address.host);
  });
}

/** Each side finishes its own direction when all is sent and goes on reading: half-close, as SSH and HTTP use it. */
async function runSide(socket: Socket, bytes: number, random: Random, progress: TcpProgress): Promise<SideResult> {
  const sent = createHash('sha256');
  const received = createHash('sha256');
  socket.on('data', (chunk: Buffer) => {
    received.update(chunk);
    progress.receivedBytes += chunk.length;
  });
  const ended = new Promise<void>((resolve, reject) => socket.once('end', resolve).once('error', reject));
  await Promise.all([pipeline(Readable.from(randomChunks(bytes, random, sent)), socket), ended]);
  return { sent: sent.digest('hex'), received: received.digest('hex') };
}

/** A cipher's key stream: random enough to show any mix-up, and fast. */
function* randomChunks(bytes: number, random: Random, digest: Hash): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', random.bytes(16), random.bytes(16));
  for (let left = bytes; left > 0; left -= chunkBytes) {
    const chunk = cipher.update(Buffer.alloc(Math.min(left, chunkBytes)));
    digest.update(chunk);
    yield chunk;
  }
}
