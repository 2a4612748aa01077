// Two connections of @matrixai/quic's native quiche object in one process, without sockets. Loaded by the quiche-*.sh scripts.
import { readFileSync } from 'node:fs';
import quicheModule from '@matrixai/quic/native/quiche.js';

export const quiche = quicheModule;

const client = { host: '127.0.0.1', port: 40_001 };
const server = { host: '127.0.0.1', port: 4433 };
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function config(side, settings) {
  const key = readFileSync('key.pem');
  const certificate = readFileSync('cert.pem');
  const made =
    side === 'server'
      ? quiche.Config.withBoringSslCtx(false, false, null, [key], [certificate], null)
      : quiche.Config.withBoringSslCtx(settings.ca !== undefined, false, settings.ca ?? null, null, null, null);
  made.setApplicationProtos(['findings']);
  made.setMaxIdleTimeout(60_000);
  made.setInitialMaxData(10_000_000);
  made.setInitialMaxStreamDataBidiLocal(1_000_000);
  made.setInitialMaxStreamDataBidiRemote(1_000_000);
  made.setInitialMaxStreamsBidi(100);
  made.setMaxRecvUdpPayloadSize(1500);
  if (settings.maxSendUdpPayloadSize !== undefined) made.setMaxSendUdpPayloadSize(settings.maxSendUdpPayloadSize);
  made.enableDgram(true, 1000, 1000);
  made.setActiveConnectionIdLimit(settings.activeConnectionIdLimit ?? 2);
  return made;
}

/** A pair after its handshake. `from` is the client's address as the server sees it; change it to rebind the client. */
export async function makePair(settings = {}) {
  const id = () => crypto.getRandomValues(new Uint8Array(settings.idLength ?? 8));
  const pair = {
    client: quiche.Connection.connect(settings.serverName ?? null, id(), client, server, config('client', settings)),
    server: quiche.Connection.accept(id(), null, server, client, config('server', settings)),
    from: client,
    /** Called with each packet and the side that sent it; false loses the packet. */
    pass: () => true,
    carry,
    settle,
  };
  await pair.settle();
  return pair;

  /** Carries what both sides have to say now; returns how many packets went. */
  function carry() {
    let packets = 0;
    for (const [side, sender, receiver] of [
      ['client', pair.client, pair.server],
      ['server', pair.server, pair.client],
    ]) {
      const buffer = new Uint8Array(1500);
      for (let sent = sender.send(buffer); sent !== null; sent = sender.send(buffer)) {
        packets += 1;
        const packet = buffer.slice(0, sent[0]);
        if (!pair.pass(packet, side)) continue;
        const info = side === 'client' ? { from: pair.from, to: server } : { from: server, to: client };
        receiver.recv(packet, info);
      }
    }
    return packets;
  }

  /** Carries packets and lets timeouts pass, until both sides have had nothing to say for a while. */
  async function settle(ms = 300) {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      while (carry() > 0);
      await wait(5);
      for (const connection of [pair.client, pair.server]) if (connection.timeout() === 0) connection.onTimeout();
    }
  }
}

let failed = false;

/** Prints what was seen, and makes the script fail when it is not what this finding says. */
export function seen(what, value, expected) {
  const same = JSON.stringify(value) === JSON.stringify(expected);
  console.log(
    `${same ? 'seen   ' : 'CHANGED'} ${what}: ${JSON.stringify(value)}${same ? '' : `, expected ${JSON.stringify(expected)}`}`,
  );
  if (!same) failed = true;
}

/** The message of what a call throws; null when it throws nothing. */
export function thrown(call) {
  try {
    call();
    return null;
  } catch (error) {
    return error.message;
  }
}

process.on('exit', () => {
  if (failed) process.exitCode = 1;
});
