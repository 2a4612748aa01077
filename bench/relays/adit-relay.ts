import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../../src/quic/types.ts';
import { Child } from '../child.ts';
import type { RelayUnderTest, RunningRelay } from './relay-under-test.ts';

const program = fileURLToPath(new URL('../../bin/adit', import.meta.url));
const started = /"quic_addrs":\["([^"]+)"\].*"msg":"relay started"/;

/** Everything on one machine comes from one address, so the caps that keep one address small are lifted. */
function configFor(engine: EngineName, address: string, folder: string): object {
  return {
    quic_addrs: [address],
    api_addrs: ['127.0.0.1:0'],
    state_dir: join(folder, 'state'),
    require_bind_auth: false,
    max_connections_per_ip: 20_000,
    max_tunnels_per_connection: 1000,
    quic: { engine },
    limits: { max_connections: 20_000, accept_rate_per_ip_per_sec: 0, retry_after_handshakes_per_sec: 0 },
  };
}

/** `adit relay` over one of its engines, as an operator starts it. */
export function aditRelay(engine: EngineName): RelayUnderTest {
  return {
    name: engine,
    description: `adit relay, engine ${engine}`,
    path: 'tunnel',
    isReference: false,
    start: (folder) => AditRelay.start(engine, folder),
  };
}

class AditRelay implements RunningRelay {
  readonly #engine: EngineName;
  readonly #folder: string;
  #child: Child;
  #address: string;

  private constructor(engine: EngineName, folder: string, child: Child, address: string) {
    this.#engine = engine;
    this.#folder = folder;
    this.#child = child;
    this.#address = address;
  }

  static async start(engine: EngineName, folder: string): Promise<AditRelay> {
    const { child, address } = await launch(engine, folder, '127.0.0.1:0');
    return new AditRelay(engine, folder, child, address);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get address(): string {
    return this.#address;
  }

  readonly restart = async (): Promise<void> => {
    await this.#child[Symbol.asyncDispose]();
    const { child, address } = await launch(this.#engine, this.#folder, this.#address);
    this.#child = child;
    this.#address = address;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

async function launch(engine: EngineName, folder: string, at: string): Promise<{ child: Child; address: string }> {
  const configPath = join(folder, 'config.json');
  writeFileSync(configPath, JSON.stringify(configFor(engine, at, folder)));
  const child = new Child({
    name: `adit relay over ${engine}`,
    command: program,
    args: ['relay', '-c', configPath],
    logPath: join(folder, 'relay.log'),
  });
  try {
    const [, address = ''] = await child.says(started);
    return { child, address };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}
