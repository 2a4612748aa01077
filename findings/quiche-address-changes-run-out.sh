#!/usr/bin/env bash
# A client behind a NAT gets a new port now and then. quiche 0.18 follows (active_connection_id_limit - 1) such changes in a
# connection's life, 1 by default. After that recv() throws nothing and its packets mean nothing: paths are never freed.
# Expected: a rebinding client is followed for as long as the connection lives (RFC 9000 §9).
. "$(dirname "$0")/lib/with-quiche.sh"
cat >run.mjs <<'JS'
import { makePair, seen, thrown } from './quiche-pair.mjs';
for (const limit of [2, 4, 8]) {
  const pair = await makePair({ activeConnectionIdLimit: limit });
  let followed = 0;
  const errors = new Set();
  for (let change = 1; change <= limit + 2; change++) {
    pair.from = { host: '127.0.0.1', port: 41_000 + change };
    pair.client.dgramSend(Buffer.from(`after change ${change}`));
    errors.add(thrown(() => pair.carry()));
    await pair.settle(60);
    if (pair.server.dgramRecvQueueLen() === change) followed = change;
  }
  seen(`active_connection_id_limit ${limit}: changes that were followed, errors, closed`, [followed, [...errors], pair.server.isClosed()], [limit - 1, [null], false]);
}
JS
node run.mjs
