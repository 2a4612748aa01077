import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { certificatePathOf, loadManagerConfig } from '../../manager/config/manager-config.ts';
import { askConsole } from '../../manager/maintenance/ask-console.ts';
import { sqlitePathOf } from '../../manager/store/open-database.ts';
import { nodeSchema } from '../../manager/views/nodes.ts';
import { flowSchema, tunnelSchema } from '../../manager/views/tunnels.ts';
import { ApiClient, type ApiAnswer } from '../api-client.ts';
import type { DemoWorld, ManagerBlock } from './demo-config.ts';

/** The token ends with the demo, or a day later. */
const tokenMs = 86_400_000;
/** A busy machine takes its time. */
const answerDeadlineMs = 60_000;
const addedNodeSchema = nodeSchema.extend({ manager_config: z.record(z.string(), z.unknown()) });

export interface AddedNode {
  readonly id: string;
  /** For the node's config file. */
  readonly manager: ManagerBlock;
}

export interface NewTunnel {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly source: { readonly node_id: string; readonly listen: string };
  readonly destination: { readonly node_id: string; readonly forward: string };
  readonly relays: readonly [{ readonly node_id: string; readonly relay_addr: string }];
}

/** Does what an operator does on the manager's page, by the same REST API. */
export class DemoManager {
  readonly #api: ApiClient;

  private constructor(api: ApiClient) {
    this.#api = api;
  }

  /**
   * Of the manager that runs with this config. It gets a token as `adit manager token` does: as the owner of the files.
   */
  static async open(world: DemoWorld, configPath: string, clock: Clock): Promise<DemoManager> {
    const { config } = await loadManagerConfig(configPath, {}, world.folder);
    const request = { kind: 'token', name: 'demo', role: 'admin', expires_at: clock.now() + tokenMs } as const;
    const answer = await askConsole(sqlitePathOf(config.database.url) ?? '', request);
    if (answer === null) throw new AppError('unavailable', 'the manager cannot be asked for a token');
    const certificate = await readFile(certificatePathOf(config), 'utf8');
    const url = `https://${formatHostPort(world.managerAddr)}`;
    return new DemoManager(new ApiClient(url, answer.token, certificate, answerDeadlineMs));
  }

  async addNode(name: string, kind: 'relay' | 'edge'): Promise<AddedNode> {
    const { id, manager_config: manager } = found(
      await this.#api.post('/api/v1/nodes', { name, kind }, addedNodeSchema),
    );
    return { id, manager };
  }

  async areOnline(nodes: readonly AddedNode[]): Promise<boolean> {
    const answers = await Promise.all(nodes.map(({ id }) => this.#api.get(`/api/v1/nodes/${id}`, nodeSchema)));
    return answers.every((answer) => found(answer).state === 'online');
  }

  async createTunnel(tunnel: NewTunnel): Promise<void> {
    found(await this.#api.post('/api/v1/tunnels', tunnel, tunnelSchema));
  }

  async createFlow(node: AddedNode, config: object): Promise<void> {
    found(await this.#api.post('/api/v1/flows', { node_id: node.id, config }, flowSchema));
  }
}

function found<Body>(answer: ApiAnswer<Body>): Body {
  if (answer.kind === 'ok') return answer.body;
  throw new AppError('bug', `the manager does not know the way: ${answer.message}`);
}
