import { createHash } from 'node:crypto';
import { maskSecrets } from '../../lib/masked-secrets.ts';
import { redacted } from '../../lib/redact.ts';
import { withoutKeys } from '../../lib/without-keys.ts';
import { asJsonObject } from '../../lib/json.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { PlanLeg } from './plan-leg.ts';
import type { Difference } from './plan-types.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What an edge takes for granted when its file does not say it. */
const tunnelDefaults: Fields = { transport: 'quic', mode: 'relay' };
const maxFields = 50;
/** A flow with a longer id cannot be kept, and is not looked at. */
const maxIdChars = 256;
const maxNameChars = 256;
const hiddenKey = /(secret|token|password|passphrase|key)$/i;

/** What a node has: its tunnels and flows by id. Null for a config that cannot be read as one. */
export interface NodeInventory {
  readonly tunnels: ReadonlyMap<string, Fields>;
  readonly flows: ReadonlyMap<string, Fields>;
}

export function readInventory(content: unknown): NodeInventory | null {
  const config = asJsonObject(content);
  if (config === null) return null;
  const tunnels = listOf(config['tunnels']);
  const flows = listOf(config['flows']);
  if (tunnels === null || flows === null) return null;
  return {
    tunnels: byId(tunnels, (id) => parseTunnelId(id)),
    flows: byId(flows, (id) => (canBeKept(id) ? id : null)),
  };
}

/**
 * How an edge differs from what the manager wants. `known` are all legs of the node: what it has beyond them is
 * extraneous. Only `judged` legs are compared: those that are pushed and that the look at the node says something
 * about.
 */
export function compareEdge(
  inventory: NodeInventory,
  known: readonly PlanLeg[],
  judged: readonly PlanLeg[],
): Difference[] {
  const differences: Difference[] = [];
  for (const leg of judged) {
    if (leg.want !== 'present' || leg.status !== 'pushed' || leg.pushedGeneration !== leg.generation) continue;
    const found = entriesOf(inventory, leg.resource).get(leg.resourceId);
    const difference = found === undefined ? missing(leg) : mismatch(leg, found);
    if (difference !== null) differences.push(difference);
  }
  for (const resource of ['tunnel', 'flow'] as const) {
    const ours = new Set(known.filter((leg) => leg.resource === resource).map(({ resourceId }) => resourceId));
    for (const [id, entry] of entriesOf(inventory, resource)) {
      if (!ours.has(id)) differences.push(extraneous(resource, id, entry));
    }
  }
  return differences;
}

/** The same for a relay, by the digests of what it authorises. */
export function compareRelay(
  digests: ReadonlyMap<string, string>,
  known: readonly PlanLeg[],
  judged: readonly PlanLeg[],
): Difference[] {
  const differences: Difference[] = [];
  for (const leg of judged) {
    if (leg.want !== 'present' || leg.status !== 'pushed' || leg.digest === null) continue;
    const digest = digests.get(leg.resourceId);
    if (digest === undefined) differences.push(authorisation('missing', leg.resourceId, leg.name, []));
    else if (digest !== leg.digest) {
      const fields = [{ path: 'tokens', desired: leg.digest, actual: digest }];
      differences.push(authorisation('mismatched', leg.resourceId, leg.name, fields));
    }
  }
  const ours = new Set(known.map(({ resourceId }) => resourceId));
  for (const id of digests.keys()) if (!ours.has(id)) differences.push(authorisation('extraneous', id, id, []));
  return differences;
}

function entriesOf(inventory: NodeInventory, resource: 'tunnel' | 'flow'): ReadonlyMap<string, Fields> {
  return resource === 'tunnel' ? inventory.tunnels : inventory.flows;
}

function missing({ resource, resourceId, name }: PlanLeg): Difference {
  return withFingerprint({ kind: 'missing', resource, resourceId, name, fields: [] });
}

function extraneous(resource: 'tunnel' | 'flow', resourceId: string, entry: Fields): Difference {
  const name = typeof entry['name'] === 'string' && entry['name'] !== '' ? entry['name'] : resourceId;
  const shown = Object.entries(entry).filter(([path, actual]) => isShown(path, actual));
  const fields = shown.slice(0, maxFields).map(([path, actual]) => difference(path, null, actual));
  return withFingerprint({ kind: 'extraneous', resource, resourceId, name: name.slice(0, maxNameChars), fields });
}

function authorisation(
  kind: Difference['kind'],
  resourceId: string,
  name: string,
  fields: Difference['fields'],
): Difference {
  return withFingerprint({ kind, resource: 'authorisation', resourceId, name, fields });
}

function mismatch({ resource, resourceId, name, desired }: PlanLeg, found: Fields): Difference | null {
  if (desired === null) return null;
  const actual = resource === 'tunnel' ? normalTunnel(found) : found;
  const fields: { path: string; desired: unknown; actual: unknown }[] = [];
  const wanted = resource === 'tunnel' ? normalTunnel(desired) : desired;
  for (const [key, value] of Object.entries(wanted)) differ(key, value, actual[key], fields);
  if (fields.length === 0) return null;
  const shown = fields.slice(0, maxFields);
  return withFingerprint({ kind: 'mismatched', resource, resourceId, name, fields: shown });
}

/** Objects are compared key by key, of the manager's keys only; lists as a whole when their lengths differ. */
function differ(
  path: string,
  desired: unknown,
  actual: unknown,
  into: { path: string; desired: unknown; actual: unknown }[],
): void {
  if (!isShown(path, actual) || !isShown(path, desired)) return;
  const [want, have] = [asObject(desired), asObject(actual)];
  if (want !== null && have !== null) {
    for (const [key, value] of Object.entries(want)) differ(`${path}.${key}`, value, have[key], into);
    return;
  }
  if (Array.isArray(desired) && Array.isArray(actual) && desired.length === actual.length) {
    for (const [index, value] of desired.entries()) differ(`${path}[${index}]`, value, actual[index], into);
    return;
  }
  if (canonical(desired) !== canonical(actual)) into.push(difference(path, desired, actual));
}

/** Secrets and what a node masks say nothing about a difference. */
function isShown(path: string, value: unknown): boolean {
  return value !== redacted && !hiddenKey.test(path);
}

function normalTunnel(entry: Fields): Fields {
  const { relay_addr: one, relay_addrs: several, id, ...most } = entry;
  const rest = withoutKeys(most, 'enabled');
  const addresses = Array.isArray(several) ? (several as unknown[]) : one === undefined ? [] : [one];
  const normalId = typeof id === 'string' ? (parseTunnelId(id) ?? id) : id;
  return { ...tunnelDefaults, ...withoutNull(rest), id: normalId, relay_addrs: addresses };
}

function withoutNull(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function asObject(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** Secrets within are masked: it is stored, shown and sent on. */
function difference(path: string, desired: unknown, actual: unknown): Difference['fields'][number] {
  return { path, desired: maskSecrets(desired ?? null), actual: maskSecrets(actual ?? null) };
}

/** JSON with sorted keys; what is absent is null. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, inner: unknown) => {
    const object = asObject(inner);
    return object === null
      ? inner
      : Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function withFingerprint(difference: Omit<Difference, 'fingerprint'>): Difference {
  const { kind, resource, resourceId, fields } = difference;
  const text = canonical([kind, resource, resourceId, fields]);
  return { ...difference, fingerprint: createHash('sha256').update(text).digest('hex') };
}

function listOf(value: unknown): readonly unknown[] | null {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : null;
}

function canBeKept(id: string): boolean {
  return id.length <= maxIdChars && id.isWellFormed() && !id.includes('\0');
}

function byId(entries: readonly unknown[], readId: (id: string) => string | null): ReadonlyMap<string, Fields> {
  const found = new Map<string, Fields>();
  for (const entry of entries) {
    const fields = asJsonObject(entry);
    const id = typeof fields?.['id'] === 'string' ? readId(fields['id']) : null;
    if (fields !== null && id !== null) found.set(id, fields);
  }
  return found;
}
