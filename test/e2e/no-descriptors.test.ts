import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { runAdit } from '../support/programs/adit-command.ts';
import { until } from '../support/until.ts';

/** Few for a program that has started, and far more connections than that. */
const descriptors = 128;
const connections = 150;
const wrapper = ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh'];
const tunnel = { id: '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f', bind_secret: 'ab'.repeat(32), name: 'camera' };

/** Programs, and where in the line that says that they have started their TCP address stands. */
const programs = [
  ['relay', { quic_addrs: ['127.0.0.1:0'], api_addrs: ['127.0.0.1:0'], tunnels: [tunnel] }, 'api_addrs'],
  ['manager', { listen: ['127.0.0.1:0'] }, 'addresses'],
] as const;

function start(kind: string, config: object): ChildProgram {
  const folder = mkdtempSync(join(tmpdir(), 'adit-descriptors-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, `${kind}.json`);
  writeFileSync(path, JSON.stringify({ state_dir: join(folder, 'state'), ...config }), { mode: 0o600 });
  const program = new ChildProgram(kind, [kind, '-c', path], new SystemClock(), wrapper);
  onTestFinished(() => program[Symbol.asyncDispose]());
  return program;
}

/** Takes all descriptors of a program for longer than a moment; it has them again when the promise resolves. */
async function takeAll(program: ChildProgram, address: string): Promise<void> {
  const [host, port] = address.split(':');
  const sockets: Socket[] = [];
  let isShort = false;
  const shortage = program.line('no file descriptor is left, connections are refused').then(() => (isShort = true));
  const over = program.line('there are file descriptors again');
  try {
    await until(
      () => {
        for (let n = 0; n < connections; n++) {
          sockets.push(connect(Number(port), host).on('error', () => undefined));
        }
        return isShort;
      },
      { timeoutMs: 60_000, pollMs: 500, what: 'a shortage' },
    );
    await shortage;
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await over;
}

/** Of `/health`; NaN when nothing answers. */
function statusOf(kind: string, address: string): Promise<number> {
  const get = kind === 'manager' ? getHttps : getHttp;
  const url = `${kind === 'manager' ? 'https' : 'http'}://${address}/health`;
  return new Promise((resolve) => {
    get(url, { rejectUnauthorized: false, agent: false }, (answer) =>
      resolve(answer.resume().statusCode ?? Number.NaN),
    ).on('error', () => resolve(Number.NaN));
  });
}

describe('without file descriptors', () => {
  it.each(programs)('a %s says so, goes on, and takes connections again afterwards', async (kind, config, key) => {
    const program = start(kind, config);
    const [address = ''] = (await program.line(`${kind} started`))[key] as string[];
    await takeAll(program, address);
    await until(async () => (await statusOf(kind, address)) === 200, { timeoutMs: 30_000, what: 'an answer' });
  });

  it('a relay has it in /health and why', async () => {
    const [[kind, config]] = programs;
    const program = start(kind, config);
    const [address = ''] = (await program.line('relay started'))['api_addrs'] as string[];
    await takeAll(program, address);
    const health = (await (await fetch(`http://${address}/health`)).json()) as { status: string; reasons: string[] };
    expect(health).toMatchObject({ status: 'degraded' });
    expect(health.reasons.join()).toContain('no file descriptor was left within the last 20 s');
    const { status, out } = await runAdit(['why', tunnel.id, '--seconds', '0', '--url', `http://${address}`]);
    expect([status, out]).toEqual([
      3,
      expect.stringContaining('✗ This machine lets the program open no more: no file'),
    ]);
    expect(out).toContain('raise LimitNOFILE');
  });
});
