import { freePort } from '../../src/cli/demo/free-port.ts';
import { CpuMeter, cpuMsOf } from '../cpu-meter.ts';
import { BenchPrograms, pause } from './bench-programs.ts';

export interface ViewerUse {
  readonly viewers: number;
  /** Of a core: all threads of the edge, and its busiest one. */
  readonly cpu: number;
  readonly busiestThread: number;
  /** That reached the viewers, of what was sent to them. */
  readonly kept: number;
}

const flowBits = 4_000_000;
const steps = [1, 5, 10, 20, 40, 70, 100];
const full = 0.95;

/**
 * WHEP viewers of one flow of 4 Mbit/s, more at each step until the edge's media thread has a core for itself. The viewers
 * are WHEP inputs of other edges, which decrypt what they get.
 */
export async function measureViewers(seconds: number, say: (use: ViewerUse) => void): Promise<void> {
  for (const viewers of steps) {
    const use = await measure(viewers, seconds);
    say(use);
    if (use.busiestThread >= full) return;
  }
}

async function measure(viewers: number, seconds: number): Promise<ViewerUse> {
  await using programs = new BenchPrograms();
  const feedPort = await freePort();
  const output = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server', max_viewers: 100 };
  const input = { type: 'udp', bind_addr: `127.0.0.1:${feedPort}` };
  const stage = await programs.startEdge('stage', {
    flows: [{ id: 'stage', name: 'Stage', input, outputs: [output] }],
  });
  programs.feed([feedPort], flowBits);
  await stage.receives('stage', 1, flowBits * 0.8);
  const whep = { type: 'whep', whep_url: `${stage.url}/api/v1/flows/stage/whep` };
  const screens = Array.from({ length: viewers }, (_, index) => {
    return { id: `screen-${index}`, name: 'Screen', media_analysis: false, input: whep };
  });
  const hall = await programs.startEdge('hall', { flows: screens });
  await hall.receives('screen', viewers, 1);
  await pause(3000);
  const meter = new CpuMeter({ stage: stage.pid });
  const before = await hall.receivedBytes('screen');
  await pause(seconds * 1000);
  const use = meter.read();
  const received = (await hall.receivedBytes('screen')) - before;
  return {
    viewers,
    cpu: cpuMsOf(use, 'stage') / use.wallMs,
    busiestThread: use.processes[0]?.busiestThread ?? Number.NaN,
    kept: (received * 8) / (viewers * flowBits * (use.wallMs / 1000)),
  };
}
