import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { Child } from '../child.ts';
import type { RelayUnderTest, RunningRelay } from './relay-under-test.ts';

/** This checkout. */
export const ownCheckout = fileURLToPath(new URL('../../', import.meta.url));
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

/** `adit relay` over one of its engines, as an operator starts it; of another checkout where `root` names one. */
export function aditRelay(engine: EngineName, root = ownCheckout, ip = '127.0.0.1'): RelayUnderTest {
  const isOwn = root === ownCheckout;
  return {
    name: isOwn ? engine : baseOf(engine),
    description: `adit relay, engine ${engine}${isOwn ? '' : ', of the checkout that BASE names'}`,
    path: 'tunnel',
    isReference: false,
    start: (folder) => AditRelay.start({ engine, root }, folder, `${ip}:0`),
  };
}

/** The column of the same engine in the checkout that `BASE` names. */
export function baseOf(engine: string): string {
  return `base ${engine}`;
}

interface AditBuild {
  readonly engine: EngineName;
  readonly root: string;
}

class AditRelay implements RunningRelay {
  readonly #build: AditBuild;
  readonly #folder: string;
  #child: Child;
  #address: string;

  private constructor(build: AditBuild, folder: string, child: Child, address: string) {
    this.#build = build;
    this.#folder = folder;
    this.#child = child;
    this.#address = address;
  }

  static async start(build: AditBuild, folder: string, at: string): Promise<AditRelay> {
    const { child, address } = await launch(build, folder, at);
    return new AditRelay(build, folder, child, address);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get address(): string {
    return this.#address;
  }

  readonly restart = async (): Promise<void> => {
    await this.#child[Symbol.asyncDispose]();
    const { child, address } = await launch(this.#build, this.#folder, this.#address);
    this.#child = child;
    this.#address = address;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

async function launch(build: AditBuild, folder: string, at: string): Promise<{ child: Child; address: string }> {
  const { engine, root } = build;
  const configPath = join(folder, 'config.json');
  writeFileSync(configPath, JSON.stringify(configFor(engine, at, folder)));
  const child = new Child({
    name: `adit relay over ${engine}`,
    command: join(root, 'bin', 'adit'),
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
