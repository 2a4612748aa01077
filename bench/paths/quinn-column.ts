import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseSocketAddress } from '../../src/lib/socket-address.ts';
import { parseLoadgen } from '../figures/loadgen-output.ts';
import { quinnRelay } from '../relays/other-relays.ts';
import { faultsOf, tunnelOverheadBytes, type PathCase } from './cells.ts';
import type { PathColumn, PathOutcome, PathsWorld, RunningColumn } from './column.ts';
import { pause } from './media-flow.ts';
import type { BenchPath } from './path-process.ts';
import { runPhases } from './phases.ts';

const exec = promisify(execFile);
const deadlineMs = 60_000;
const pollMs = 50;

/** The reference relay between quinn edges, both of which loadgen plays. */
export function quinnColumn(loadgen: string): PathColumn {
  const relay = quinnRelay(loadgen);
  return {
    name: relay.name,
    description: `${relay.description}; edges on quinn`,
    start: async ({ folder, paths }: PathsWorld): Promise<RunningColumn> => {
      const place = join(folder, relay.name);
      mkdirSync(place);
      const running = await relay.start(place);
      const target = parseSocketAddress(running.address);
      if (target === null) throw new Error(`no address: ${running.address}`);
      return {
        async run(pathCase) {
          // The first client is the egress edge, whose way to the relay is the path.
          const faults = faultsOf(pathCase);
          const path = await paths.open({ target, seed: pathCase.seed, faults, impairs: 'first' });
          try {
            return await runLoadgen(loadgen, running.pid, pathCase, path);
          } finally {
            await path.close();
          }
        },
        [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
      };
    },
  };
}

async function runLoadgen(program: string, pid: number, pathCase: PathCase, path: BenchPath): Promise<PathOutcome> {
  const { cell, rate } = pathCase;
  const size = cell.payloadBytes + tunnelOverheadBytes;
  const place = ['--relay', `${path.address.ip}:${path.address.port}`, '--pid', String(pid)];
  const flow = ['udp', '--rate', rate.perSecond, '--size', size, '--secs', rate.seconds].map(String);
  const running = exec(program, [...place, ...flow], { timeout: deadlineMs });
  const phases = cell.later.length === 0 ? null : awaitFlow(path, rate.perSecond).then(() => runPhases(pathCase, path));
  const [{ stdout }] = await Promise.all([running, phases]);
  const values = parseLoadgen(stdout);
  const value = (name: string): number => values.get(name) ?? NaN;
  return {
    sent: value('sent'),
    delivered: value('got'),
    p50Ms: value('p50') / 1000,
    p99Ms: value('p99') / 1000,
    relayCpuUs: value('relay_cpu_us/dgram'),
  };
}

/** loadgen says nothing before its end, so the beginning of its flow is seen at the path. */
async function awaitFlow(path: BenchPath, perSecond: number): Promise<void> {
  const giveUpMs = performance.now() + deadlineMs;
  let [beforeMs, before] = [performance.now(), (await path.counts()).packets];
  while (beforeMs < giveUpMs) {
    await pause(pollMs);
    const [nowMs, { packets }] = [performance.now(), await path.counts()];
    if (packets - before > (perSecond * (nowMs - beforeMs)) / 1000 / 2) return;
    [beforeMs, before] = [nowMs, packets];
  }
}
