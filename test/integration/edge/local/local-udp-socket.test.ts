import { expect, it } from 'vitest';
import { AppError } from '../../../../src/lib/app-error.ts';
import { SystemClock } from '../../../../src/lib/clock.ts';
import { closeLocalUdpSocket, openLocalUdpSocket, type Sender } from '../../../../src/edge/local/local-udp-socket.ts';

/** As a forged packet looks to Node: the kernel lets port 0 through, and no program may bind it. */
const fromPortZero = { address: '127.0.0.1', family: 'IPv4', port: 0, size: 1 } as const;

it('passes on a datagram from port 0 as one that nobody can answer', async () => {
  const senders: (Sender | null)[] = [];
  const socket = await openLocalUdpSocket(
    'bind',
    { host: '127.0.0.1', port: 0 },
    { onMessage: (_payload, sender) => senders.push(sender), onError: () => undefined, onLate: () => undefined },
    { clock: new SystemClock(), stalls: { waitedMs: () => 0 } },
  );
  socket.emit('message', Buffer.from('a'), fromPortZero);
  socket.emit('message', Buffer.from('b'), { ...fromPortZero, port: 9 });
  await closeLocalUdpSocket(socket);
  expect(senders).toEqual([null, { address: '127.0.0.1', port: 9 }]);
});

it('reports that an address which the kernel lets nobody connect to is unavailable', async () => {
  // Broadcast, which a socket may use only when it has asked to.
  const opening = openLocalUdpSocket(
    'connect',
    { host: '255.255.255.255', port: 9 },
    { onMessage: () => undefined, onError: () => undefined, onLate: () => undefined },
    { clock: new SystemClock(), stalls: { waitedMs: () => 0 } },
  );
  await expect(opening).rejects.toThrow(AppError);
  await expect(opening).rejects.toMatchObject({ code: 'address-unavailable' });
});
