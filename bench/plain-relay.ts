import { createSocket, type RemoteInfo } from 'node:dgram';
import process from 'node:process';

/**
 * The plainest relay that Node can be: one socket, two peers, each packet to the other one. No QUIC, no encryption: the floor of Node's UDP.
 * Prints the port that it listens on. A peer makes itself known by a short packet, which comes back.
 */
const bufferBytes = 4 * 1024 * 1024;
const longestGreeting = 16;
const peers = new Map<string, RemoteInfo>();
const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes, sendBufferSize: bufferBytes });

socket.on('message', (packet, from) => {
  if (packet.length <= longestGreeting) {
    peers.set(packet.toString('latin1'), from);
    socket.send(packet, from.port, from.address);
    return;
  }
  for (const peer of peers.values()) {
    if (peer.port !== from.port) socket.send(packet, peer.port, peer.address);
  }
});
socket.bind(0, '127.0.0.1', () => process.stdout.write(`plain relay on 127.0.0.1:${socket.address().port}\n`));
