import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Child } from './child.ts';
import { readMemory } from './procfs.ts';
import { ownCheckout } from './relays/adit-relay.ts';
import { ratios, summarise } from './statistics.ts';

/**
 * What it costs to start each program and to have it idle: `node bench/startup.ts [--base CHECKOUT] [--rounds 5] [--engine native]`.
 * With `--base`, every figure of this checkout has its ratio to the same figure of that one in the same round. One round
 * before them does not count: it fills the cache of compiled code.
 */
const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    engine: { type: 'string', default: 'native' },
    'idle-secs': { type: 'string', default: '10' },
  },
});

const tunnel = '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f';
const secret = '00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f';
const tickMs = 10;
const mib = 1_048_576;

type Figures = Readonly<Record<string, number>>;

const folder = mkdtempSync(join(tmpdir(), 'adit-startup-'));
// The programs keep compiled code below it.
process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
try {
  const checkouts = [ownCheckout, ...(options.base === undefined ? [] : [resolve(options.base)])];
  const rounds: Figures[][] = [];
  for (let round = 0; round <= Number(options.rounds); round++) {
    const figures: Figures[] = [];
    for (const checkout of checkouts) figures.push(await measure(checkout));
    if (round > 0) rounds.push(figures);
  }
  report(rounds);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(checkout: string): Promise<Figures> {
  const adit = join(checkout, 'bin/adit');
  const figures: Record<string, number> = { 'adit --version, CPU ms': commandCpuMs(adit, '--version') };
  figures['adit --help, CPU ms'] = commandCpuMs(adit, '--help');
  const relayConfig = write('relay.json', {
    quic_addrs: ['127.0.0.1:0'],
    api_addrs: ['127.0.0.1:0'],
    state_dir: join(folder, 'state'),
    quic: { engine: options.engine },
    tunnels: [{ id: tunnel, bind_secret: secret }],
  });
  await using relay = start(adit, 'relay', relayConfig);
  const [, address = ''] = await relay.says(/"quic_addrs":\["([^"]+)"\].*"msg":"relay started"/);
  figures['relay, start to ready, CPU ms'] = cpuMs(relay.pid);
  const edgeConfig = write('edge.json', {
    state_dir: join(folder, 'edge-state'),
    quic: { engine: options.engine },
    tunnels: [
      {
        id: tunnel,
        name: 'idle',
        protocol: 'udp',
        direction: 'ingress',
        local_addr: '127.0.0.1:9',
        relay_addrs: [address],
        tunnel_encryption_key: secret,
        tunnel_bind_secret: secret,
      },
    ],
  });
  await using edge = start(adit, 'edge', edgeConfig);
  await edge.says(/"msg":"edge started"/);
  figures['edge, start to ready, CPU ms'] = cpuMs(edge.pid);
  await edge.says(/Tunnel connected to relay|relay-connected|relay connected/);
  await new Promise((done) => setTimeout(done, Number(options['idle-secs']) * 1000));
  figures['relay, idle, RSS MiB'] = readMemory(relay.pid).rssBytes / mib;
  figures['edge, idle, RSS MiB'] = readMemory(edge.pid).rssBytes / mib;
  return figures;
}

function start(adit: string, name: 'relay' | 'edge', config: string): Child {
  return new Child({ name, command: adit, args: [name, '--config', config], logPath: join(folder, `${name}.log`) });
}

function write(name: string, content: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** User and system time of a command with all that it starts. Throws when it fails. */
function commandCpuMs(adit: string, argument: string): number {
  const script = 'TIMEFORMAT="%3U %3S"; time "$0" "$1" >&2 2>"$2"';
  const { status, stderr } = spawnSync('bash', ['-c', script, adit, argument, join(folder, 'out')], {
    encoding: 'utf8',
  });
  const seconds = /(\d+\.\d+) (\d+\.\d+)\s*$/.exec(stderr);
  if (status !== 0 || seconds === null) throw new Error(`${adit} ${argument} failed: ${stderr}`);
  return (Number(seconds[1]) + Number(seconds[2])) * 1000;
}

/** User and system time of a process until now, threads and children that have ended included; in steps of 10 ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime, cstime: fields 14 to 17, of which the first two came before the closing bracket.
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs;
}

function report(rounds: readonly (readonly Figures[])[]): void {
  for (const name of Object.keys(rounds[0]?.[0] ?? {})) {
    const own = rounds.map(([figures]) => figures?.[name] ?? NaN);
    const base = rounds.map(([, figures]) => figures?.[name] ?? null);
    const of = (values: readonly number[], digits: number): string => {
      const summary = summarise(values);
      return summary === null
        ? '–'
        : `${summary.median.toFixed(digits)} (${summary.min.toFixed(digits)}–${summary.max.toFixed(digits)})`;
    };
    const ratio =
      options.base === undefined
        ? ''
        : `  × ${of(ratios(own, base), 2)} of ${of(
            base.filter((value) => value !== null),
            0,
          )}`;
    process.stdout.write(`${name.padEnd(32)} ${of(own, 0)}${ratio}\n`);
  }
}
