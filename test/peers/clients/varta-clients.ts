import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';

/** What a client says of its life. */
export interface ClientReport {
  /** `agent`, or `child` after a fork. */
  readonly who: string;
  readonly pid: number;
  readonly sent: number;
  readonly dropped: number;
  readonly failed: number;
  /** Why it dropped a beat the last time; empty when it dropped none. */
  readonly last: string;
}

/** An unmodified client of varta 0.2.0 in a program that beats five times a second. */
export interface VartaClient {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** What `.ci/install` makes. */
  readonly installed: string;
}

/**
 * `panic` ends after five beats. `reconnect` sets `set_reconnect_after(2)`: without it a client stays with the socket
 * that it found first.
 */
export type ClientMode = 'steady' | 'fork' | 'panic' | 'reconnect';

const tools = join(import.meta.dirname, '../../../.ci/tools');
const rustProgram = join(tools, 'varta-client/release/beats-peer');
const pythonPackages = join(tools, 'varta');

export const vartaClients: readonly VartaClient[] = [
  {
    name: 'varta-client 0.2.0 (crates.io)',
    command: [rustProgram],
    environment: {},
    installed: rustProgram,
  },
  {
    name: 'varta 0.2.0 (PyPI)',
    command: ['python3', join(import.meta.dirname, 'agent.py')],
    environment: { PYTHONPATH: pythonPackages },
    installed: join(pythonPackages, 'varta'),
  },
];

/** Resolves when the program and what it has forked have ended. Rejects where `.ci/install` did not install it. */
export async function runClient(
  client: VartaClient,
  { path, seconds, mode }: { readonly path: string; readonly seconds: number; readonly mode: ClientMode },
): Promise<readonly ClientReport[]> {
  if (!existsSync(client.installed)) throw new Error(`${client.name} is not installed: run .ci/install`);
  const [command, ...args] = client.command;
  const child = spawn(command, [...args, path, String(seconds), mode], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...client.environment },
  });
  const lines = (await text(child.stdout)).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as ClientReport);
}
