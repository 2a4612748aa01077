import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import { faultless, type Faults } from '../../test/support/network/faulty-path.ts';
import { PeerProgram } from '../../test/support/peers/peer-program.ts';
import { srtReceiver } from '../../test/support/peers/srt-live-transmit.ts';
import { pause } from '../paths/media-flow.ts';
import { PathProcess } from '../paths/path-process.ts';
import type { SrtCell, SrtOrder } from './srt-order.ts';
import { bareWay, tunnelWay, type SrtWay } from './srt-ways.ts';
import { TsTally, type TsCount } from './ts-tally.ts';

/** What came out of one way, and what its edges dropped. */
export interface SrtResult extends TsCount {
  readonly drops: string | null;
}

/** By the name of the way: `bare` and engines. */
export type SrtOutcome = ReadonlyMap<string, SrtResult>;

/** A sound, the tables and the headers of TS and PES take the rest of the rate. */
const videoShare = 0.9;
const sampleSeconds = 20;
const lookMs = 100;
/** SRT's own payload: seven TS packets. */
const srtPayloadBytes = 1316;

/** Sends one stream over all ways at the same time, for as long as the order says. */
export async function srtTrial(cell: SrtCell, order: SrtOrder): Promise<SrtOutcome> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'adit-srt-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const sample = join(folder, 'sample.ts');
  await makeSample(cell.megabits, sample);
  const ways = await openWays(cell, order, { folder, stack });
  const receivers = ways.map(({ name, receiverPort, drops }) => ({
    name,
    drops,
    program: stack.use(srtReceiver(receiverPort, 'listener', `latency=${order.latencyMs}`)),
    tally: new TsTally(),
  }));
  const look = (): void => {
    for (const { program, tally } of receivers) tally.push(program.takeOutput());
  };
  await using sender = startSender(ways, sample, order);
  const ended = sender.ends();
  while (!(await endsWithin(ended, lookMs))) look();
  const status = await ended;
  if (status !== 0) throw new Error(`ffmpeg ended with status ${status ?? '?'}: ${sender.complaints}`);
  await pause(order.latencyMs + 1000);
  // They keep the last of their output to themselves until they end.
  for (const { program } of receivers) program.kill('SIGTERM');
  await Promise.all(receivers.map(({ program }) => program.ends()));
  look();
  const results = receivers.map(
    async ({ name, tally, drops }) => [name, { ...tally.count, drops: await drops() }] as const,
  );
  return new Map(await Promise.all(results));
}

async function openWays(
  { lossPercent, seed }: SrtCell,
  { rttMs, jitterMs, engines }: SrtOrder,
  { folder, stack }: { readonly folder: string; readonly stack: AsyncDisposableStack },
): Promise<readonly SrtWay[]> {
  const paths = stack.use(await PathProcess.start());
  const faults: Faults = {
    ...faultless,
    lossRate: lossPercent / 100,
    delayMs: rttMs / 2,
    jitterMs,
    jitterReorders: true,
  };
  const ways = [await bareWay({ paths, faults, seed, folder })];
  for (const engine of engines) ways.push(await tunnelWay(engine, { paths, faults, seed, folder }, stack));
  return ways;
}

/** Noise over a moving picture, so that the video needs its whole rate. */
async function makeSample(megabits: number, path: string): Promise<void> {
  const rate = `${Math.round(megabits * videoShare * 1000)}k`;
  await using program = new PeerProgram('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25,noise=alls=60:allf=t'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-t', String(sampleSeconds)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'],
    ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', rate, '-c:a', 'aac', '-f', 'mpegts', path],
  ]);
  const status = await program.ends();
  if (status !== 0) throw new Error(`ffmpeg made no sample: ${program.complaints}`);
}

/** One muxer for each way. A way that breaks does not end the others. */
function startSender(ways: readonly SrtWay[], sample: string, { seconds, latencyMs }: SrtOrder): PeerProgram {
  const query = `mode=caller&latency=${latencyMs * 1000}&pkt_size=${srtPayloadBytes}`;
  const outputs = ways.map(({ entry }) => `[f=mpegts:onfail=ignore]srt://${formatSocketAddress(entry)}?${query}`);
  return new PeerProgram('ffmpeg', [
    ...['-v', 'error', '-re', '-stream_loop', '-1', '-i', sample, '-t', String(seconds)],
    ...['-map', '0', '-c', 'copy', '-f', 'tee', outputs.join('|')],
  ]);
}

async function endsWithin(ended: Promise<unknown>, durationMs: number): Promise<boolean> {
  return await Promise.race([ended.then(() => true), pause(durationMs).then(() => false)]);
}
