import { expect, it } from 'vitest';
import { createLookUp } from '../../../../src/edge/local/look-up.ts';
import { NodeTcp } from '../../../../src/edge/local/node-tcp.ts';
import { PayloadCipher } from '../../../../src/edge/local/payload-cipher.ts';
import { TcpIngress } from '../../../../src/edge/local/tcp-ingress.ts';
import { Troubles } from '../../../../src/edge/local/troubles.ts';
import { TunnelCounters } from '../../../../src/edge/local/tunnel-counters.ts';
import type { QuicConnection } from '../../../../src/quic/types.ts';
import { encodeStreamHeader } from '../../../../src/protocol/tunnel/stream-header.ts';
import { AnsweringRelay } from '../../../support/peers/answering-relay.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { LocalTcpServer } from '../../../support/peers/local-tcp.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { MemoryLedger } from '../../../support/fakes/memory-ledger.ts';
import { MemoryStream } from '../../../support/fakes/memory-stream.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';
import { vectorTunnel } from '../../../support/samples/vectors.ts';

const lookUp = createLookUp({ clock: new ManualClock(), resolveHost: async () => [] });
const tunnelId = knownTunnelId(vectorTunnel.id);

it('counts a local program that does not answer as one that refuses', async () => {
  await using server = await LocalTcpServer.start(() => {});
  const [host = '', port] = server.addr.split(':');
  const [clock, counters, logger] = [
    new ManualClock(),
    new TunnelCounters(new MemoryLedger(), new Troubles(new ManualClock())),
    new RecordingLogger(),
  ];
  const cipher = new PayloadCipher(new SeededRandom(), new Uint8Array(32), new Uint8Array(16));
  const ingress = new TcpIngress(
    { clock, counters, logger, lookUp, tcp: new NodeTcp({ cipher, counters, logger }) },
    { tunnelId, localAddr: { host, port: Number(port) }, maxConnections: 1 },
  );
  const tasks: (() => void)[] = [];
  const run = (): void => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
  };
  const [near, far] = [0, 1].map((id) => new MemoryStream(id, {} as QuicConnection, true, (task) => tasks.push(task)));
  if (near === undefined || far === undefined) throw new Error('no streams');
  [near.peer, far.peer] = [far, near];
  ingress.onDataStream(near, new AnsweringRelay('queued'));
  far.write(encodeStreamHeader(tunnelId));
  run();
  // Before the kernel's answer can arrive.
  clock.advance(10_000);
  run();
  expect(counters.stats().send_errors).toBe(1);
  expect(logger.lines.at(-1)).toMatchObject({ level: 'warn', message: 'local program does not accept connections' });
  expect(far.read(1)).toEqual({ kind: 'reset', code: 17 });
});
