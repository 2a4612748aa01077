import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { HttpsServer } from '../../../src/manager/https-server.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';
import { createSelfSigned } from '../../support/samples/certificates.ts';

it('closes a connection that begins no TLS handshake, so that no peer can use up its files', async () => {
  const { certificatePem: certificate, privateKeyPem: privateKey } = await createSelfSigned();
  const server = new HttpsServer({
    ...{ clock: new SystemClock(), logger: silentLogger, upgrades: new Map() },
    onRequest: (_request, response) => response.end(),
  });
  await server.start(['127.0.0.1:0'], { certificate, privateKey });
  onTestFinished(() => server.stop());
  const socket = connect(server.addresses[0]?.port ?? 0, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = 0;
  socket.on('data', (data: Buffer) => (received += data.length));
  await once(socket, 'close');
  expect(received).toBe(0);
});
