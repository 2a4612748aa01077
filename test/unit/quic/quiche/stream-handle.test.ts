import { describe, expect, it } from 'vitest';
import { type QuicheHandle, receivePacket, streamFault } from '../../../../src/quic/quiche/binding.ts';
import { StreamHandle } from '../../../../src/quic/quiche/stream-handle.ts';
import { HandCarried, pass, take } from '../../../support/peers/hand-carried.ts';
import { until } from '../../../support/until.ts';

/** After its next timeout; what is to be sent for it has not left yet. */
async function timedOut(handle: QuicheHandle): Promise<void> {
  await until(() => handle.timeout() === 0);
  handle.onTimeout();
}

function streamOf(handle: QuicheHandle): StreamHandle {
  return new StreamHandle(handle, 0, (error) => expect.unreachable(String(error)));
}

/** The server's stream: its FIN came with data that was read before, right ahead of the acknowledgement of its own end. */
async function endedLate(): Promise<{ readonly far: StreamHandle; readonly isForgotten: boolean }> {
  const { client, server } = await HandCarried.connect();
  const [near, far] = [streamOf(client), streamOf(server)];
  const into = new Uint8Array(100);
  near.write(Buffer.from('all'), false);
  pass(client, server);
  expect(far.read(into)).toEqual({ kind: 'data', length: 3, finished: false });
  take(server);
  far.write(Buffer.from('answer'), true);
  pass(server, client);
  expect(near.read(into)).toEqual({ kind: 'data', length: 6, finished: true });
  take(client);
  const nothing = new Uint8Array(0);
  near.write(nothing, true);
  take(client);
  await timedOut(client);
  // EndGuard repeats it, and it leaves in one frame with the data.
  near.write(nothing, true);
  const late = take(client);
  await timedOut(server);
  pass(server, client);
  for (const packet of [...late, ...take(client)]) receivePacket(server, packet);
  try {
    server.streamRecv(0, into);
    return { far, isForgotten: false };
  } catch (error) {
    return { far, isForgotten: streamFault(error).kind === 'gone' };
  }
}

describe('a stream of quiche', () => {
  it('S1 ends cleanly when its FIN came with data that was read before, and quiche forgot it at once', async () => {
    // On a busy machine other timeouts come first, and quiche still knows it.
    const far = await until(async () => {
      const ended = await endedLate();
      return ended.isForgotten ? ended.far : null;
    });
    expect(far.read(new Uint8Array(100))).toEqual({ kind: 'data', length: 0, finished: true });
  });
});
