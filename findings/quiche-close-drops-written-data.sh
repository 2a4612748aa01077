#!/usr/bin/env bash
# streamSend() takes 5000 bytes and the end of a stream, then close() is called. In quiche 0.18 nothing of the stream leaves: close()
# throws away what send() has not taken yet. Expected: what was accepted before the close goes before CONNECTION_CLOSE.
. "$(dirname "$0")/lib/with-quiche.sh"
cat >run.mjs <<'JS'
import { makePair, seen } from './quiche-pair.mjs';
for (const sendFirst of [false, true]) {
  const pair = await makePair();
  const taken = pair.client.streamSend(0, Buffer.alloc(5000), true);
  if (sendFirst) pair.carry();
  pair.client.close(true, 0, Buffer.from('bye'));
  await pair.settle();
  seen(`${taken} bytes taken, send() ${sendFirst ? 'before' : 'after'} close(): the peer has data`, pair.server.isReadable(), sendFirst);
}
JS
node run.mjs
