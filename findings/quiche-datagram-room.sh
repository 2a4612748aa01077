#!/usr/bin/env bash
# How large a DATAGRAM fits depends on the length of the peer's connection id, and on a packet size that stays at 1200 bytes whatever
# the path carries: quiche 0.18 does no path MTU discovery. SRT needs 1376 bytes: too large by default, exact with packets of 1420 and
# ids of 20 bytes. Expected: discovery, or at least the 1350 of the package's own classes.
. "$(dirname "$0")/lib/with-quiche.sh"
cat >run.mjs <<'JS'
import { makePair, seen, thrown } from './quiche-pair.mjs';
for (const [size, idLength, room, error] of [
  [undefined, 8, 1168, 'BufferTooShort'],
  [1420, 8, 1388, null],
  [1420, 20, 1376, null],
  [1452, 20, 1408, null],
]) {
  const pair = await makePair({ maxSendUdpPayloadSize: size, idLength });
  await pair.settle(500);
  const found = [pair.client.dgramMaxWritableLen(), thrown(() => pair.client.dgramSend(Buffer.alloc(1376)))];
  seen(`packets of ${size ?? 'default size'}, ids of ${idLength}: room, error of 1376 bytes`, found, [room, error]);
}
JS
node run.mjs
