import { readFile } from 'node:fs/promises';
import { runEdge, type ConfigKeys } from './running-programs.ts';
import { hastyRandom } from './test-node-link.ts';

type Edge = Awaited<ReturnType<typeof runEdge>>;
type Entry = Readonly<Record<string, unknown>>;

interface EdgeFile extends ConfigKeys {
  readonly tunnels?: readonly Entry[];
}

/** A real edge whose file is edited by hand while it is stopped. */
export class HandEditedEdge implements AsyncDisposable {
  #edge: Edge;

  private constructor(edge: Edge) {
    this.#edge = edge;
  }

  static async start(config: ConfigKeys): Promise<HandEditedEdge> {
    return new HandEditedEdge(await runEdge(config, hastyRandom));
  }

  async file(): Promise<EdgeFile> {
    return JSON.parse(await readFile(this.#edge.configPath, 'utf8')) as EdgeFile;
  }

  /** The local addresses of its tunnels, as the file has them. */
  async localAddresses(): Promise<readonly unknown[]> {
    return ((await this.file()).tunnels ?? []).map(({ local_addr: address }) => address);
  }

  /** Stops it, changes every tunnel in its file, and starts it again. */
  async edit(change: Entry): Promise<void> {
    const file = await this.file();
    await this.#edge[Symbol.asyncDispose]();
    const tunnels = (file.tunnels ?? []).map((tunnel) => ({ ...tunnel, ...change }));
    this.#edge = await runEdge({ ...file, tunnels }, hastyRandom);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#edge[Symbol.asyncDispose]();
  }
}
