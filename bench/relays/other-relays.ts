import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { Child, type ChildSettings } from '../child.ts';
import type { RelayUnderTest, RunningRelay } from './relay-under-test.ts';

const host = '127.0.0.1';
const plainRelayPath = fileURLToPath(new URL('../plain-relay.ts', import.meta.url));

/** The floor of Node's UDP: packets of the same size through node:dgram, nothing else. */
export const plainRelay: RelayUnderTest = {
  name: 'dgram',
  description: 'node:dgram alone, one socket, no QUIC and no encryption: the floor of Node',
  path: 'bare-udp',
  isReference: true,
  start: (folder) =>
    launch(
      {
        name: 'the plain relay',
        command: process.execPath,
        args: ['--disable-warning=ExperimentalWarning', plainRelayPath],
        logPath: join(folder, 'plain-relay.log'),
      },
      /plain relay on (\S+)/,
    ),
};

/** The obvious relay on Rust's quinn and tokio, which `loadgen` brings along. */
export function quinnRelay(loadgen: string): RelayUnderTest {
  return {
    name: 'quinn',
    description: "loadgen's reference-relay: quinn and tokio, the obvious way",
    path: 'tunnel',
    isReference: true,
    start: async (folder) =>
      launch(
        {
          name: "loadgen's reference-relay",
          command: loadgen,
          args: ['reference-relay', '--listen', `${host}:${await freePort()}`],
          logPath: join(folder, 'reference-relay.log'),
        },
        /reference relay on (\S+)/,
      ),
  };
}

/** coturn relays UDP without encryption; `turnserver` is Debian's name of the program. */
export const coturn: RelayUnderTest = {
  name: 'coturn',
  description: 'coturn, a TURN server: UDP relayed without encryption',
  path: 'turn',
  isReference: true,
  start: async (folder) => {
    const port = await freePort();
    const flags = [
      '-n',
      '--no-auth',
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      '--allow-loopback-peers',
      '--log-file=stdout',
    ];
    const places = [`--listening-ip=${host}`, `--relay-ip=${host}`, `--listening-port=${port}`];
    const settings = {
      name: 'coturn',
      command: 'turnserver',
      args: [...flags, ...places, `--pidfile=${join(folder, 'coturn.pid')}`, `--userdb=${join(folder, 'turndb')}`],
      logPath: join(folder, 'coturn.log'),
    };
    const running = await launch(settings, /Total General servers/);
    return { ...running, address: `${host}:${port}` };
  },
};

async function launch(settings: ChildSettings, started: RegExp): Promise<RunningRelay> {
  const child = new Child(settings);
  try {
    const [, address = ''] = await child.says(started);
    const { pid } = child;
    return { pid, address, restart: null, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
