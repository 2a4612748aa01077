import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { WebSocketServer } from 'ws';
import { createSelfSigned } from '../../test/support/samples/certificates.ts';

/** The peer: the least that a server of such frames can do over the same TLS. */
const { certificatePem: cert, privateKeyPem: key } = await createSelfSigned();
const server = createServer({ cert, key });
const acceptor = new WebSocketServer({ noServer: true, perMessageDeflate: false });
server.on('upgrade', (request, socket, head) => {
  acceptor.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
    webSocket.on('error', () => undefined);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port, writes: null }));
