import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { WebSocketServer } from 'ws';
import { createSelfSigned } from '../../test/support/samples/certificates.ts';
import { LoopLag } from './loop-lag.ts';
import type { ServerReport } from './messages.ts';

/** The peer: the least that a server of such frames can do over the same TLS. */
const { certificatePem: cert, privateKeyPem: key } = await createSelfSigned();
const lag = new LoopLag();
const server = createServer({ cert, key });
const acceptor = new WebSocketServer({ noServer: true, perMessageDeflate: false });
server.on('upgrade', (request, socket, head) => {
  acceptor.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
    webSocket.on('error', () => undefined);
  });
});
server.listen(0, '127.0.0.1', report);
process.on('message', report);
// The benchmark is gone.
process.on('disconnect', () => process.exit());

function report(): void {
  const { port } = server.address() as AddressInfo;
  process.send?.({ port, writes: null, lagMs: lag.take(), commitMs: null } satisfies ServerReport);
}
