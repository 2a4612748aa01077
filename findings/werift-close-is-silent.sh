#!/usr/bin/env bash
# One of two connected werift peers calls close(). The other one is not told: its connection and its DTLS transport stay `connected`.
# Expected: DTLS close_notify (RFC 8446 §6.1, RFC 8827 §6.5), after which the other end says `closed` at once, as browsers do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && npm init --yes >/dev/null && npm install --silent --no-audit --no-fund werift@0.25.2)
cat >"$folder/run.mjs" <<'JS'
import { RTCPeerConnection } from 'werift';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const config = { iceServers: [], iceUseIpv6: false, iceAdditionalHostAddresses: ['127.0.0.1'] };
const [leaving, staying] = [new RTCPeerConnection(config), new RTCPeerConnection(config)];
leaving.createDataChannel('any');
await leaving.setLocalDescription(await leaving.createOffer());
await staying.setRemoteDescription(leaving.localDescription);
await staying.setLocalDescription(await staying.createAnswer());
await leaving.setRemoteDescription(staying.localDescription);
for (let n = 0; n < 100 && staying.connectionState !== 'connected'; n++) await wait(100);
const states = () => `${staying.connectionState}, DTLS ${staying.dtlsTransports.map(({ state }) => state)}`;
const before = states();
await leaving.close();
await wait(5000);
const found = `${before}; 5 s after the other end's close(): ${states()}`;
const expected = "connected, DTLS connected; 5 s after the other end's close(): connected, DTLS connected";
console.log(`${found === expected ? 'seen   ' : 'CHANGED'} ${found}`);
await staying.close();
process.exit(found === expected ? 0 : 1);
JS
echo "werift 0.25.2, node $(node --version)"
cd "$folder" && node run.mjs
