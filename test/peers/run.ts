import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { loadLibc, POSIX } from '../../src/posix/libc.ts';
import { openDatagramSocket, unixAddress } from '../../src/posix/unix-datagram.ts';
import { startObserverProcess, type ObserverProcess } from '../support/observer/observer-process.ts';
import { pause } from '../support/pause.ts';

/**
 * `npm run test:peers [seconds]`: the unmodified clients of varta 0.2.0, from crates.io and PyPI, beat to `adit observer`. Prints
 * what each saw, and fails where the observer saw something else. Needs cargo and python3 with pip.
 */
interface Report {
  readonly who: string;
  readonly pid: number;
  readonly sent: number;
  readonly dropped: number;
  readonly failed: number;
  readonly last: string;
}

interface Peer {
  readonly name: string;
  readonly command: readonly string[];
}

interface Line {
  readonly peer: string;
  readonly scenario: string;
  readonly client: string;
  readonly observer: string;
  readonly isRight: boolean;
}

const seconds = Number(process.argv[2] ?? '10');
const thresholdMs = 1500;
const folder = mkdtempSync(join(tmpdir(), 'adit-peers-'));

function build(): readonly Peer[] {
  const rust = join(folder, 'rust');
  cpSync(join(import.meta.dirname, 'rust'), rust, { recursive: true });
  execFileSync('cargo', ['build', '--quiet', '--release'], { cwd: rust, stdio: 'inherit' });
  const python = join(folder, 'venv/bin/python');
  execFileSync('python3', ['-m', 'venv', join(folder, 'venv')], { stdio: 'inherit' });
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'varta==0.2.0'], { stdio: 'inherit' });
  return [
    { name: 'varta-client 0.2.0 (Rust)', command: [join(rust, 'target/release/beats-peer')] },
    { name: 'varta 0.2.0 (Python)', command: [python, join(import.meta.dirname, 'agent.py')] },
  ];
}

/** What an observer saw of a pid. */
interface Seen {
  readonly beats: number;
  readonly stalls: number;
  readonly terminal: boolean;
}

const terminalNonce = String(2n ** 64n - 1n);

function seenOf(pid: number, observers: readonly ObserverProcess[]): Seen {
  const events = observers.flatMap((observer) => observer.events() as readonly Record<string, unknown>[]);
  const own = events.filter((event) => event['pid'] === pid);
  return {
    beats: own.filter(({ type }) => type === 'Beat').length,
    stalls: own.filter(({ type }) => type === 'Stall').length,
    terminal: own.some(({ nonce }) => nonce === terminalNonce),
  };
}

async function agent(peer: Peer, path: string, forSeconds: number, mode: string): Promise<readonly Report[]> {
  const [command = '', ...args] = peer.command;
  const child = spawn(command, [...args, path, String(forSeconds), mode], { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  await new Promise((resolve) => void child.once('close', resolve));
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Report);
}

function observe(path: string, fd?: number): Promise<ObserverProcess> {
  return startObserverProcess(['--socket', path, '--threshold-ms', String(thresholdMs), '--print', 'all'], fd);
}

function newPath(): string {
  const own = mkdtempSync(join(folder, 's-'));
  mkdirSync(own, { recursive: true });
  return join(own, 'o.sock');
}

/** One observer for the whole time; the agents end, so each pid stalls once. */
async function undisturbed(peer: Peer, mode: 'steady' | 'fork' | 'panic', times: number): Promise<Line> {
  const path = newPath();
  await using observer = await observe(path);
  const reports: Report[] = [];
  for (let turn = 0; turn < times; turn += 1) reports.push(...(await agent(peer, path, seconds / times, mode)));
  await pause(2 * thresholdMs);
  const seen = reports.map(({ pid }) => seenOf(pid, [observer]));
  const panics = mode === 'panic';
  const isRight = reports.every(({ sent, failed }, index) => {
    const { beats = 0, stalls, terminal } = seen[index] ?? {};
    // A beat of the parent before the fork, and the last one of a panic, are not in the report.
    return failed === 0 && beats >= sent && beats <= sent + 1 && stalls === 1 && terminal === panics;
  });
  return line(peer, `${mode}${times > 1 ? ', restarted' : ''}`, reports, seen, isRight);
}

/** The observer is replaced in the middle. */
async function replaced(peer: Peer, mode: 'steady' | 'reconnect', activated: boolean): Promise<Line> {
  const path = newPath();
  const fd = activated ? await systemdSocket(path) : undefined;
  const first = await observe(path, fd);
  const running = agent(peer, path, seconds + 8, mode);
  await pause((seconds / 2) * 1000);
  await first[Symbol.asyncDispose]();
  await using second = await observe(path, fd);
  const reports = await running;
  await pause(200);
  const seen = reports.map(({ pid }) => ({
    ...seenOf(pid, [first, second]),
    ...{ later: seenOf(pid, [second]).beats },
  }));
  const isFoundAgain = seen.every(({ later }) => later > 0);
  const isRight = activated || mode === 'reconnect' ? isFoundAgain : true;
  const name = `observer restarted${activated ? ', systemd socket' : ''}${mode === 'reconnect' ? ', set_reconnect_after(2)' : ''}`;
  return line(peer, name, reports, seen, isRight, isFoundAgain ? ', found again' : ', not found again');
}

async function systemdSocket(path: string): Promise<number> {
  const libc = await loadLibc();
  const fd = openDatagramSocket(libc) ?? -1;
  const address = unixAddress(path) ?? new Uint8Array();
  libc.setsockopt(fd, POSIX.SOL_SOCKET, POSIX.SO_PASSCRED, new Uint8Array([1, 0, 0, 0]), 4);
  if (libc.bind(fd, address, address.length) < 0) throw new Error(`cannot bind ${path}`);
  return fd;
}

function line(
  peer: Peer,
  scenario: string,
  reports: readonly Report[],
  seen: readonly Seen[],
  isRight: boolean,
  note = '',
): Line {
  const client = reports
    .map(({ who, sent, dropped, last }) => `${who} sent ${sent}, dropped ${dropped} ${last}`.trim())
    .join('; ');
  const texts = seen.map(
    ({ beats, stalls, terminal }) => `${beats} beats, ${stalls} stalls${terminal ? ', terminal' : ''}`,
  );
  return { peer: peer.name, scenario, client, observer: texts.join('; ') + note, isRight };
}

try {
  const lines: Line[] = [];
  for (const peer of build()) {
    const runs = [
      undisturbed(peer, 'steady', 1),
      undisturbed(peer, 'steady', 2),
      undisturbed(peer, 'fork', 1),
      undisturbed(peer, 'panic', 1),
      replaced(peer, 'steady', false),
      replaced(peer, 'reconnect', false),
      replaced(peer, 'steady', true),
    ];
    lines.push(...(await Promise.all(runs)));
  }
  process.stdout.write(
    '| client | scenario | what the client saw | what the observer saw | |\n| --- | --- | --- | --- | --- |\n',
  );
  for (const { peer, scenario, client, observer, isRight } of lines) {
    process.stdout.write(`| ${peer} | ${scenario} | ${client} | ${observer} | ${isRight ? 'right' : 'WRONG'} |\n`);
  }
  const wrong = lines.filter(({ isRight }) => !isRight).length;
  process.stdout.write(`${lines.length - wrong} passed, ${wrong} failed\n`);
  process.exitCode = wrong === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
