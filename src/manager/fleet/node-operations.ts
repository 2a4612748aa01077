import { maskSecrets } from '../../lib/masked-secrets.ts';
import { withoutKeys } from '../../lib/without-keys.ts';
import { asJsonObject } from '../../lib/json.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import type { Actor, CommandAnswer, DrainView, LegView, NewNodeInput, NodeOperations, NodeView } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import { hashSecret, newSecret } from '../secrets/node-secret.ts';
import type { NodeChange, NodeKind, NodeRow } from '../store/schema.ts';
import type { Page, PageQuery } from '../store/store.ts';
import type { FleetCore } from './fleet-core.ts';
import type { FleetFlows } from './flow-operations.ts';
import type { SecretRotation } from './secret-rotation.ts';
import type { TunnelEditor } from './tunnel-editor.ts';
import type { NodeReader } from './node-reader.ts';
import { legView } from './views.ts';

const tokenValidMs = 86_400_000;
const maxNameChars = 256;
const maxCommandChars = 50_000;

/** What can be done with nodes. */
export class FleetNodes implements NodeOperations {
  readonly #core: FleetCore;
  readonly #reader: NodeReader;
  readonly #rotation: SecretRotation;
  readonly #tunnels: TunnelEditor;
  readonly #flows: FleetFlows;

  constructor(
    core: FleetCore,
    parts: { reader: NodeReader; rotation: SecretRotation; tunnels: TunnelEditor; flows: FleetFlows },
  ) {
    this.#core = core;
    this.#reader = parts.reader;
    this.#rotation = parts.rotation;
    this.#tunnels = parts.tunnels;
    this.#flows = parts.flows;
  }

  page(query: PageQuery & { readonly kind?: NodeKind }): Promise<Page<NodeView>> {
    return this.#reader.page(query);
  }

  get(id: string): Promise<NodeView> {
    return this.#reader.get(id);
  }

  async create(input: NewNodeInput, actor: Actor): Promise<{ node: NodeView; registration_token: string }> {
    const { dependencies, limits } = this.#core;
    const id = this.#core.newId();
    const now = this.#core.now();
    const token = newSecret(dependencies.random);
    if ((await dependencies.store.nodes.all()).length >= limits.nodes) {
      throw new FleetError('conflict', `there are ${limits.nodes} nodes already, as many as limits.nodes allows`);
    }
    const row = {
      ...fieldsOf(input),
      id,
      name: nameOf(input.name),
      kind: input.kind ?? 'edge',
      description: input.description ?? '',
      registration_hash: hashSecret(token),
      registration_expires_at: now + tokenValidMs,
      created_at: now,
      updated_at: now,
    };
    await this.#core.change(actor, 'node.create', id, async (store) => {
      if (!(await store.nodes.insert(row))) throw nameTaken(row.name);
      return { result: null, after: input };
    });
    dependencies.feed.node(id);
    return { node: await this.get(id), registration_token: token };
  }

  async patch(id: string, change: Partial<NewNodeInput>, generation: number | null, actor: Actor): Promise<NodeView> {
    const before = await this.#core.node(id);
    const fields = { ...fieldsOf(change), ...(change.name !== undefined && { name: nameOf(change.name) }) };
    await this.#change(before, fields, 'node.patch', generation, actor);
    return this.get(id);
  }

  async remove(id: string, force: boolean, actor: Actor): Promise<void> {
    const { store, roster } = this.#core.dependencies;
    const node = await this.#core.node(id);
    const tunnels = await store.tunnels.using(id);
    const flows = (await store.flows.ofNode(id)).filter(({ removed_at: at }) => at === null);
    const using = [...tunnels, ...flows];
    if (using.length > 0 && !force) {
      const names = using.slice(0, 5).map(({ name }) => `'${name}'`);
      const counts = `${tunnels.length} tunnels and ${flows.length} flows`;
      throw new FleetError('in_use', `${counts} use ${node.name}: ${names.join(', ')}; remove them first`);
    }
    for (const tunnel of tunnels) await this.#tunnels.remove(tunnel.id, null, actor);
    for (const flow of flows) await this.#flows.remove(flow.id, null, actor);
    await this.#core.change(actor, 'node.remove', id, async (inside) => {
      await inside.nodes.remove(id);
      return { result: null, before: { name: node.name } };
    });
    roster.drop(id, 4001, 'Node not registered');
    this.#core.dependencies.feed.node(id);
  }

  async newToken(id: string, actor: Actor): Promise<{ registration_token: string; expires_at: number }> {
    const node = await this.#core.node(id);
    const token = newSecret(this.#core.dependencies.random);
    const expiresAt = this.#core.now() + tokenValidMs;
    const change = {
      registration_hash: hashSecret(token),
      registration_expires_at: expiresAt,
      registration_used_at: null,
    };
    await this.#change(node, change, 'node.token', null, actor);
    return { registration_token: token, expires_at: expiresAt };
  }

  rotateSecret(
    id: string,
    revokePrevious: boolean,
    actor: Actor,
  ): Promise<{ outcome: 'acknowledged' | 'unconfirmed' }> {
    return this.#rotation.rotate(id, revokePrevious, actor);
  }

  async setDisabled(id: string, disabled: boolean, actor: Actor): Promise<NodeView> {
    const node = await this.#core.node(id);
    const change = { disabled_at: disabled ? this.#core.now() : null };
    await this.#change(node, change, disabled ? 'node.disable' : 'node.enable', null, actor);
    if (disabled) await this.#endSession(id, 4001, 'Node is disabled');
    return this.get(id);
  }

  async disconnect(id: string, actor: Actor): Promise<void> {
    const { state, name } = await this.get(id);
    if (state !== 'online') throw new FleetError('node_offline', `Node ${name} is not connected`);
    await this.#core.change(actor, 'node.disconnect', id, () => Promise.resolve({ result: null }));
    await this.#endSession(id, 1000, 'disconnected by an operator');
  }

  /** Wherever the node is connected: another instance finds that the session is gone, and closes it within 5 s. */
  async #endSession(id: string, code: number, reason: string): Promise<void> {
    const { store, roster, events, instanceId, leaseMs } = this.#core.dependencies;
    if (roster.get(id) !== null) {
      roster.drop(id, code, reason);
      return;
    }
    const [held] = await store.sessions.live(leaseMs, instanceId(), [id]);
    if (held !== undefined && (await store.sessions.release(id, held.session))) events.disconnected(id, reason, null);
  }

  setDraining(id: string, draining: boolean, actor: Actor): Promise<DrainView> {
    return this.#tunnels.drain(id, draining, actor);
  }

  stats(id: string): Promise<{ at: number; payload: unknown } | null> {
    return this.#reader.stats(id);
  }

  async legs(id: string): Promise<readonly LegView[]> {
    await this.#core.node(id);
    return (await this.#core.dependencies.store.legs.ofNode(id)).map(legView);
  }

  async config(id: string): Promise<unknown> {
    return maskSecrets(await this.#core.ask(id, { type: 'get_config' }));
  }

  async reconcile(id: string, actor: Actor): Promise<void> {
    await this.#core.node(id);
    await this.#core.change(actor, 'node.reconcile', id, () => Promise.resolve({ result: null }));
    await this.#core.compareNow(id);
  }

  async command(id: string, action: CommandAction, actor: Actor): Promise<CommandAnswer> {
    if (JSON.stringify(action).length > maxCommandChars) {
      throw new FleetError('invalid', `a command may have ${maxCommandChars} characters at most`);
    }
    await this.#core.node(id);
    await this.#core.change(actor, 'node.command', id, () =>
      Promise.resolve({ result: null, after: { type: action.type } }),
    );
    const data = await this.#core.ask(id, action);
    return { success: true, data: action.type === 'get_config' ? maskSecrets(data) : data };
  }

  async #change(
    node: NodeRow,
    change: NodeChange,
    action: string,
    generation: number | null,
    actor: Actor,
  ): Promise<void> {
    const next = { ...change, generation: node.generation + 1, updated_at: this.#core.now() };
    await this.#core.change(actor, action, node.id, async (store) => {
      const taken =
        change.name !== undefined && change.name !== node.name && (await store.nodes.byName(change.name)) !== null;
      if (taken) throw nameTaken(change.name ?? '');
      const row = await store.nodes.change(node.id, next, generation ?? node.generation);
      if (row === null) throw new FleetError('stale', 'somebody has changed this node meanwhile; read it again');
      const shown = withoutKeys(change, 'registration_hash');
      const before = Object.fromEntries(Object.keys(shown).map((key) => [key, asJsonObject(node)?.[key] ?? null]));
      return { result: null, before, after: shown };
    });
    this.#core.dependencies.feed.node(node.id);
  }
}

function fieldsOf(input: Partial<NewNodeInput>) {
  const { kind, description, region, public_addr, max_tunnels, expires_at } = input;
  return {
    ...(kind !== undefined && { kind }),
    ...(description !== undefined && { description: description.slice(0, 10_000) }),
    ...(region !== undefined && { region }),
    ...(public_addr !== undefined && { public_addr }),
    ...(max_tunnels !== undefined && { max_tunnels }),
    ...(expires_at !== undefined && { expires_at }),
  };
}

function nameOf(name: string): string {
  const clean = name.replaceAll('\0', '').toWellFormed().trim();
  if (clean === '') throw new FleetError('invalid', 'a node needs a name', { field: 'name' });
  if (Array.from(clean).length > maxNameChars)
    throw new FleetError('invalid', `a name may have ${maxNameChars} characters`, { field: 'name' });
  return clean;
}

function nameTaken(name: string): FleetError {
  return new FleetError('name_taken', `there is a node ${name} already`, { field: 'name' });
}
