import { describe, expect, test } from 'vitest';
import { SrtInput } from '../../../../src/media/flow/srt-input.ts';
import { SrtOutput } from '../../../../src/media/flow/srt-output.ts';
import { numberedTs } from '../../../support/media/numbered-ts.ts';
import { flowOf, VirtualWorker } from '../../../support/media/virtual-flow.ts';

const listener = { type: 'srt', mode: 'listener', local_addr: '127.0.0.1:9000', peer_idle_timeout_secs: 1 };
const caller = { id: 'out', name: 'Out', type: 'srt', mode: 'caller', remote_addr: '127.0.0.1:9000' };

function createInput(worker: VirtualWorker): SrtInput {
  const { input } = flowOf(listener);
  if (input.type !== 'srt') throw new Error('not SRT');
  return new SrtInput({ ...worker.dependencies, publish: () => undefined }, input);
}

function createOutput(worker: VirtualWorker, keys: object): SrtOutput {
  const [output] = flowOf({ type: 'udp', bind_addr: '127.0.0.1:1' }, [{ ...caller, ...keys }]).outputs;
  if (output?.type !== 'srt') throw new Error('not SRT');
  return new SrtOutput(worker.dependencies, output);
}

describe('the counters of a flow', () => {
  test('count on when connections end and others come', async () => {
    const worker = new VirtualWorker();
    const input = createInput(worker);
    await input.start();
    const output = createOutput(worker, { peer_idle_timeout_secs: 1, send_buffer_size: 32 });
    await output.start();
    await worker.pass(500);
    const latest = { lost: 0, dropped: 0, received: 0, sent: 0 };
    let [number, connections] = [0, 0];
    const look = (): void => {
      const { packets_lost: lost, packets_received: received } = input.stats();
      const { packets_dropped: dropped, packets_sent: sent } = output.stats();
      const now = { lost, dropped, received, sent };
      for (const key of ['lost', 'dropped', 'received', 'sent'] as const) {
        expect(now[key], key).toBeGreaterThanOrEqual(latest[key]);
      }
      Object.assign(latest, now);
    };
    const write = (): void => {
      const nowUs = worker.clock.monotonicMs() * 1000;
      output.write(nowUs, { bytes: numberedTs(number++, 1), timeUs: nowUs, rtp: null });
      look();
    };
    // What is lost for 200 ms cannot be repaired within 120; after four seconds the connection ends.
    for (const [loss, ms] of [
      [0, 1000],
      [1, 200],
      [0, 1000],
      [1, 4000],
      [0, 3000],
    ] as const) {
      worker.net.loss = loss;
      await worker.pass(ms, write);
      if (loss === 0) {
        expect(input.stats().state).toBe('connected');
        connections = worker.events.filter(({ kind }) => kind === 'srt-connected').length;
      }
    }
    expect(connections).toBe(4);
    expect(latest.lost).toBeGreaterThan(0);
    expect(latest.dropped).toBeGreaterThan(0);
    const before = { ...latest };
    await output.stop();
    await worker.pass(500, look);
    expect(input.stats().state).toBe('listening');
    expect(latest.lost).toBe(before.lost);
    await input.stop();
  });
});
