#!/usr/bin/env bash
# Nothing listens at the destination, and the kernel gets an ICMP error. An unconnected dgram socket never shows it. A connected one
# reports success to each send()'s callback and raises the error as an 'error' event, which without a listener ends the process.
# Expected: the callback of a send gets the error, as the second write(2) on such a socket would.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/run.mjs" <<'JS'
import dgram from 'node:dgram';
const bound = (socket) => new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const probe = dgram.createSocket('udp4');
await bound(probe);
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));
let failed = false;
for (const connected of [false, true]) {
  const socket = dgram.createSocket('udp4');
  await bound(socket);
  const callbacks = new Set();
  const events = new Set();
  socket.on('error', ({ code }) => events.add(code));
  if (connected) await new Promise((resolve) => socket.connect(port, '127.0.0.1', resolve));
  for (let n = 0; n < 4; n++) {
    await new Promise((resolve) => {
      const callback = (error) => resolve(callbacks.add(error?.code ?? 'success'));
      if (connected) socket.send('x', callback);
      else socket.send('x', port, '127.0.0.1', callback);
    });
    await wait(50);
  }
  const found = `callbacks ${[...callbacks]}, events ${[...events]}`;
  const expected = `callbacks success, events ${connected ? 'ECONNREFUSED' : ''}`;
  console.log(`${found === expected ? 'seen   ' : 'CHANGED'} ${connected ? 'connected' : 'unconnected'}: ${found}`);
  failed ||= found !== expected;
  socket.close();
}
process.exitCode = failed ? 1 : 0;
JS
echo "node $(node --version), Linux $(uname -r)"
node "$folder/run.mjs"
