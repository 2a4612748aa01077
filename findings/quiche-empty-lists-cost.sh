#!/usr/bin/env bash
# readable() and writable() of @matrixai/quic's native object cost more than twenty times isReadable(), also when they are empty: each call builds a
# JavaScript iterator through Node-API. Asked once for each packet, they cost more than its decryption. Expected: an empty list is free.
. "$(dirname "$0")/lib/with-quiche.sh"
cat >run.mjs <<'JS'
import { makePair, seen } from './quiche-pair.mjs';
const { server } = await makePair();
const cpuUs = (call) => {
  for (let n = 0; n < 5000; n++) call();
  const start = process.cpuUsage();
  for (let n = 0; n < 50_000; n++) call();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 50_000;
};
const [one, readable, writable] = [() => server.isReadable(), () => server.readable(), () => server.writable()].map(cpuUs);
console.log(`CPU of a call in µs: isReadable ${one.toFixed(2)}, readable ${readable.toFixed(2)}, writable ${writable.toFixed(2)}`);
seen('at least five times as much', [readable > 5 * one, writable > 5 * one], [true, true]);
JS
node run.mjs
