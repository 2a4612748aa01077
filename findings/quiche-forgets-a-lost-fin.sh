#!/usr/bin/env bash
# Of four packets of a stream the second and the fourth are lost; the fourth has only the FIN. quiche 0.18 sends the lost data again,
# but never the FIN: the receiver has every byte and waits for the end. Expected: what was lost is sent again (RFC 9000 §13.3).
. "$(dirname "$0")/lib/with-quiche.sh"
cat >run.mjs <<'JS'
import { makePair, seen } from './quiche-pair.mjs';
const pair = await makePair();
const packets = [];
const send = (isLost, action) => {
  action();
  const buffer = new Uint8Array(1500);
  for (let sent = pair.client.send(buffer); sent !== null; sent = pair.client.send(buffer)) {
    if (!isLost) packets.push(buffer.slice(0, sent[0]));
  }
};
send(false, () => pair.client.streamSend(0, Buffer.from('first '), false));
send(true, () => pair.client.streamSend(0, Buffer.from('second '), false));
send(false, () => pair.client.streamSend(0, Buffer.from('third'), false));
send(true, () => pair.client.streamSend(0, Buffer.alloc(0), true));
// Later packets, so that both losses are noticed.
for (let n = 0; n < 8; n++) send(false, () => pair.client.dgramSend(Buffer.alloc(1000)));
const info = { from: pair.from, to: { host: '127.0.0.1', port: 4433 } };
for (const packet of packets) pair.server.recv(packet, info);
await pair.settle(3000);
let text = '';
let end = false;
const buffer = new Uint8Array(1000);
for (let read = pair.server.streamRecv(0, buffer); read !== null && !end; read = end ? null : pair.server.streamRecv(0, buffer)) {
  text += Buffer.from(buffer.slice(0, read[0]));
  end = read[1];
}
seen('after 3 s the receiver has, with an end', [text, end], ['first second third', false]);
seen('the sender noticed losses, sent again', [pair.client.stats().lost, pair.client.stats().retrans], [2, 2]);
JS
node run.mjs
