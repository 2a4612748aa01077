import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchPrograms } from './bench-programs.ts';

/** One flow through the relay under test: SRT in, SRT out. */
export interface Lane {
  readonly feedPort: number;
  readonly inPort: number;
  readonly outPort: number;
}

/** What carries the lanes; returns the process that is measured. */
export interface FlowRelay {
  readonly name: string;
  /** Both ends dial it, on `inPort`, and name the stream; else it dials `outPort`. */
  readonly isServer: boolean;
  readonly start: (lanes: readonly Lane[], programs: BenchPrograms) => Promise<ChildProcess>;
}

export const srtLiveTransmit: FlowRelay = {
  name: 'srt-live-transmit',
  isServer: false,
  start: ([lane], programs) => {
    if (lane === undefined) throw new Error('no lane');
    const from = `srt://127.0.0.1:${lane.inPort}?mode=listener`;
    const to = `srt://127.0.0.1:${lane.outPort}?mode=caller`;
    return Promise.resolve(programs.run('srt-live-transmit', ['-q', '-a:yes', '-chunk:1316', from, to]));
  },
};

export const flows: FlowRelay = {
  name: 'a flow',
  isServer: false,
  start: async (lanes, programs) => (await programs.startEdge('relay', { flows: lanes.map(flowOf) })).child,
};

/** A flow that carries a lane. */
export function flowOf({ inPort, outPort }: Lane, index: number): object {
  return {
    ...{ id: `flow-${index}`, name: 'Flow' },
    input: { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${inPort}` },
    outputs: [{ id: 'out', name: 'Out', type: 'srt', mode: 'caller', remote_addr: `127.0.0.1:${outPort}` }],
  };
}

/** The program that `MEDIAMTX` names. */
export function mediamtx(path: string): FlowRelay {
  return {
    name: 'mediamtx',
    isServer: true,
    start: ([lane], programs) => {
      if (lane === undefined) throw new Error('no lane');
      const config = join(programs.folder, 'mediamtx.yml');
      const off = ['rtsp', 'rtmp', 'hls', 'webrtc', 'moq'].map((server) => `${server}: no`);
      const srt = ['srt: yes', `srtAddress: 127.0.0.1:${lane.inPort}`, 'logLevel: error', 'paths: {all_others: {}}'];
      writeFileSync(config, [...off, ...srt, ''].join('\n'));
      return Promise.resolve(programs.run(path, [config]));
    },
  };
}

/** Flows of the edge at both ends: one sends what is fed to it into the relay, the other one takes what comes out. */
export function endsOf({ isServer }: FlowRelay, { feedPort, inPort, outPort }: Lane, index: number): object[] {
  const input = { type: 'udp', bind_addr: `127.0.0.1:${feedPort}` };
  const dial = (kind: string): object => ({
    ...{ type: 'srt', mode: 'caller', remote_addr: `127.0.0.1:${inPort}` },
    ...(isServer && { stream_id: `${kind}:lane` }),
  });
  const output = { id: 'out', name: 'Out', ...dial('publish') };
  const sink = isServer ? dial('read') : { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${outPort}` };
  return [
    { id: `source-${index}`, name: 'Source', media_analysis: false, input, outputs: [output] },
    { id: `sink-${index}`, name: 'Sink', media_analysis: false, input: sink },
  ];
}
