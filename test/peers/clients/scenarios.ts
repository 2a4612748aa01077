import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startObserverProcess, type ObserverProcess } from '../../support/observer/observer-process.ts';
import { systemdSocket } from '../../support/observer/systemd-socket.ts';
import { pause } from '../../support/pause.ts';
import { until } from '../../support/until.ts';
import { runClient, type ClientMode, type ClientReport, type VartaClient } from './varta-clients.ts';

/** What an observer saw of a pid. */
export interface Seen {
  readonly beats: number;
  readonly stalls: number;
  readonly terminal: boolean;
  /** Beats that a second observer, which took the place of the first, accepted. */
  readonly later: number;
}

export interface Meeting {
  readonly clients: readonly ClientReport[];
  /** Of each client, in the same order. */
  readonly seen: readonly Seen[];
}

export interface ClientScenario {
  readonly name: string;
  /** What the observer sees, in words. */
  readonly outcome: string;
  readonly run: (client: VartaClient, seconds: number) => Promise<Meeting>;
  /** Whether a client and what was seen of it are as they should be. */
  readonly isRight: (client: ClientReport, seen: Seen) => boolean;
}

const thresholdMs = 3000;
const terminalNonce = String(2n ** 64n - 1n);

export const clientScenarios: readonly ClientScenario[] = [
  {
    name: 'steady',
    outcome: 'every beat, and a Stall after the end',
    run: (client, seconds) => undisturbed(client, 'steady', seconds, 1),
    isRight: isWatched,
  },
  {
    name: 'restarted',
    outcome: 'every beat of both pids, and a Stall after each end',
    run: (client, seconds) => undisturbed(client, 'steady', seconds, 2),
    isRight: isWatched,
  },
  {
    name: 'fork',
    outcome: 'parent and child, each under its own pid',
    run: (client, seconds) => undisturbed(client, 'fork', seconds, 1),
    isRight: isWatched,
  },
  {
    name: 'panic',
    outcome: 'the terminal beat, then a Stall',
    run: (client, seconds) => undisturbed(client, 'panic', seconds, 1),
    isRight: (client, seen) => isWatched(client, seen) && seen.terminal,
  },
  {
    name: 'the observer restarts',
    outcome: 'nothing more: with its defaults the client does not come back',
    run: (client, seconds) => replaced(client, 'steady', seconds, false),
    isRight: (client, { later }) => later === 0 && client.dropped > 0,
  },
  {
    name: 'the observer restarts, set_reconnect_after(2)',
    outcome: 'the client again',
    run: (client, seconds) => replaced(client, 'reconnect', seconds, false),
    isRight: (_client, { later }) => later > 0,
  },
  {
    name: 'the observer restarts, socket of systemd',
    outcome: 'the client again: its beats wait in the socket meanwhile',
    run: (client, seconds) => replaced(client, 'steady', seconds, true),
    isRight: (client, { later }) => later > 0 && client.failed === 0,
  },
];

/** A beat of the parent before the fork, and the last one of a panic, are not in the client's report. */
function isWatched({ sent, failed }: ClientReport, { beats, stalls }: Seen): boolean {
  return failed === 0 && beats >= sent && beats <= sent + 1 && stalls === 1;
}

/** One observer for the whole time. The clients end, so each pid stalls once. */
async function undisturbed(client: VartaClient, mode: ClientMode, seconds: number, times: number): Promise<Meeting> {
  await using place = await newPlace();
  await using observer = await observe(place.path);
  const clients: ClientReport[] = [];
  for (let turn = 0; turn < times; turn += 1) {
    clients.push(...(await runClient(client, { path: place.path, seconds: Math.ceil(seconds / times), mode })));
  }
  const seen = (): readonly Seen[] => clients.map(({ pid }) => seenOf(pid, [observer]));
  await until(() => seen().every(({ stalls }) => stalls > 0));
  return { clients, seen: seen() };
}

/** The observer is replaced in the middle. */
async function replaced(client: VartaClient, mode: ClientMode, seconds: number, activated: boolean): Promise<Meeting> {
  await using place = await newPlace();
  using handedOver = activated ? await systemdSocket(place.path) : null;
  const fd = handedOver?.fd;
  const first = await observe(place.path, fd);
  // The second observer takes its time to start.
  const running = runClient(client, { path: place.path, seconds: seconds + 8, mode });
  await pause((seconds / 2) * 1000);
  await first[Symbol.asyncDispose]();
  await using second = await observe(place.path, fd);
  const clients = await running;
  const comesBack = activated || mode === 'reconnect';
  const seen = (): readonly Seen[] => clients.map(({ pid }) => seenOf(pid, [first, second]));
  if (comesBack) await until(() => seen().every(({ later }) => later > 0));
  return { clients, seen: seen() };
}

function seenOf(pid: number, observers: readonly ObserverProcess[]): Seen {
  const [all, later] = [observers, observers.slice(1)].map((some) =>
    some.flatMap((observer) => observer.events() as readonly Record<string, unknown>[]).filter((e) => e['pid'] === pid),
  );
  const count = (events: readonly Record<string, unknown>[] = [], wanted: string): number =>
    events.filter(({ type }) => type === wanted).length;
  return {
    beats: count(all, 'Beat'),
    stalls: count(all, 'Stall'),
    terminal: all?.some(({ nonce }) => nonce === terminalNonce) ?? false,
    later: count(later, 'Beat'),
  };
}

function observe(path: string, fd?: number): Promise<ObserverProcess> {
  return startObserverProcess(['--socket', path, '--threshold-ms', String(thresholdMs), '--print', 'all'], fd);
}

async function newPlace(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'adit-clients-'));
  return { path: join(folder, 'o.sock'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
