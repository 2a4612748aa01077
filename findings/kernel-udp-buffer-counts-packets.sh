#!/usr/bin/env bash
# A UDP receive buffer is charged for each datagram's bookkeeping, not for its bytes. 208 KiB (what getRecvBufferSize() says) hold the same
# few hundred datagrams whether they have 0 bytes or 100, and half of its size in media packets of 1376 bytes. Expected: bytes are
# what counts, so small packets are nearly free.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/run.mjs" <<'JS'
import dgram from 'node:dgram';
const bound = (socket) => new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
const held = {};
let size = 0;
for (const bytes of [0, 100, 500, 1376]) {
  const receiver = dgram.createSocket({ type: 'udp4', recvBufferSize: 106_496 });
  const sender = dgram.createSocket({ type: 'udp4', lookup: (host, family, callback) => callback(null, host, 4) });
  await Promise.all([bound(receiver), bound(sender)]);
  size = receiver.getRecvBufferSize();
  held[bytes] = 0;
  receiver.on('message', () => (held[bytes] += 1));
  // In one turn, in which nothing is read.
  for (let n = 0; n < 2000; n++) sender.send(Buffer.alloc(bytes), receiver.address().port, '127.0.0.1');
  await new Promise((resolve) => setTimeout(resolve, 500));
  receiver.close();
  sender.close();
}
console.log(`datagrams that a buffer of ${size} bytes held, by their size: ${JSON.stringify(held)}`);
const same = held[0] > 0 && held[0] < 1000 && held[0] === held[100] && held[1376] * 1376 < 0.75 * size;
console.log(same ? 'seen    empty datagrams cost as much as those of 100 bytes, and overhead is a good part of the buffer' : 'CHANGED');
process.exitCode = same ? 0 : 1;
JS
echo "node $(node --version), Linux $(uname -r)"
node "$folder/run.mjs"
