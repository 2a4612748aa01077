#!/usr/bin/env bash
# dgram's send() to an IP address returns before it has read the buffer: even a literal address goes through dns.lookup, and the
# system call waits for its next tick. Who uses the buffer again at once sends its new content. A `lookup` that calls back at once
# makes send() read the buffer before it returns (and is called for bind() too). Expected: an address needs no lookup.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/run.mjs" <<'JS'
import dgram from 'node:dgram';
import { once } from 'node:events';
const bound = (socket) => new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
let failed = false;
for (const [name, lookup, expected] of [
  ['default lookup', undefined, 'SECOND'],
  ['immediate lookup', (host, family, callback) => callback(null, host, 4), 'first '],
]) {
  const receiver = dgram.createSocket('udp4');
  const sender = dgram.createSocket({ type: 'udp4', ...(lookup && { lookup }) });
  await Promise.all([bound(receiver), bound(sender)]);
  const arrival = once(receiver, 'message');
  const buffer = Buffer.from('first ');
  sender.send(buffer, receiver.address().port, '127.0.0.1');
  buffer.write('SECOND');
  const [message] = await arrival;
  const same = String(message) === expected;
  console.log(`${same ? 'seen   ' : 'CHANGED'} ${name}: the receiver got "${message}"`);
  failed ||= !same;
  receiver.close();
  sender.close();
}
process.exitCode = failed ? 1 : 0;
JS
echo "node $(node --version)"
node "$folder/run.mjs"
