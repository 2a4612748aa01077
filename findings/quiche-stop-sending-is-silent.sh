#!/usr/bin/env bash
# A peer stops an idle stream (STOP_SENDING). quiche 0.18 tells nobody: isReadable() stays false, readable() empty, and writable()
# lists the stream before and after. Only a call about that very stream throws. Expected: an event, or at least a change in a list.
. "$(dirname "$0")/lib/with-quiche.sh"
cat >run.mjs <<'JS'
import { makePair, quiche, seen, thrown } from './quiche-pair.mjs';
const pair = await makePair();
const buffer = new Uint8Array(100);
pair.client.streamSend(0, Buffer.from('hello'), false);
await pair.settle();
pair.server.streamRecv(0, buffer);
pair.server.streamSend(0, Buffer.from('hello'), false);
await pair.settle();
pair.client.streamRecv(0, buffer);
const shown = () => ({ isReadable: pair.server.isReadable(), readable: [...pair.server.readable()], writable: [...pair.server.writable()] });
const before = shown();
pair.client.streamShutdown(0, quiche.Shutdown.Read, 77);
await pair.settle();
seen('before STOP_SENDING', before, { isReadable: false, readable: [], writable: [0] });
seen('after it', shown(), before);
seen('streamCapacity(0) throws', thrown(() => pair.server.streamCapacity(0)), 'StreamStopped(77)');
JS
node run.mjs
