#!/usr/bin/env bash
# A certificate names DNS:findings.example and IP:127.0.0.1. With @matrixai/quic a client that connects to the name is let in; one that
# connects to the address fails (TlsFail), because an address is compared with DNS names only. Expected: the IP entry matches.
. "$(dirname "$0")/lib/with-quiche.sh"
cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { makePair, seen } from './quiche-pair.mjs';
const ca = readFileSync('cert.pem');
for (const [serverName, expected] of [['findings.example', 'established'], ['127.0.0.1', 'TlsFail']]) {
  const outcome = await makePair({ serverName, ca }).then((pair) => (pair.client.isEstablished() ? 'established' : 'not yet'), (error) => error.message);
  seen(`connecting to ${serverName}`, outcome, expected);
}
JS
node run.mjs
