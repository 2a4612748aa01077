import { z } from 'zod';
import { AppError } from '../../lib/app-error.ts';
import { parseTunnelId, type TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { readApiConfig, type ApiClient, type ApiConfig } from '../api-client.ts';

/** A tunnel that `adit why` can explain. */
export interface NamedTunnel {
  readonly id: TunnelId;
  /** What an edge calls it; null where no edge has sent one. */
  readonly name: string | null;
}

const fewestDigits = 4;

/** A relay's list or an edge's. */
const listSchema = z.union([
  z
    .object({ tunnels: z.array(z.object({ tunnel_id: z.string(), name: z.string().nullish() })) })
    .transform(({ tunnels }) => tunnels.map(({ tunnel_id: id, name }) => ({ id, name: name ?? undefined }))),
  z.array(z.object({ id: z.string(), name: z.string() })),
]);

/** Of a relay: tunnels with refused binds, known to it or not. */
const refusedSchema = z
  .object({ refusals: z.array(z.object({ tunnel_id: z.string(), name: z.string().nullable() })) })
  .transform(({ refusals }) => refusals.map(({ tunnel_id: id, name }) => ({ id, name: name ?? undefined })));

/** Of a relay: tunnels that may be bound, held or not. */
const authorizedSchema = z.object({
  tunnels: z.array(z.object({ tunnel_id: z.string(), name: z.string().nullable(), source: z.string() })),
});

/**
 * The selected tunnels: those with this id, name or beginning of an id. Without one: all of the program, of its
 * refusals and of its config. Tunnels that a manager authorised and nobody holds count where there is no other. Rejects
 * with AppError `input-invalid` when there is none, unless `mayBeNone`.
 */
export async function whichTunnels(
  wanted: string | undefined,
  api: ApiClient,
  configPath: string | undefined,
  mayBeNone = false,
): Promise<readonly NamedTunnel[]> {
  const { known, idle } = await knownTunnels(api, configPath);
  const all = merged([...idle, ...known]);
  const id = parseTunnelId(wanted ?? '');
  if (id !== null) return [all.find((tunnel) => tunnel.id === id) ?? { id, name: null }];
  const meant = wanted === undefined ? firstNotEmpty(known, all) : all.filter((tunnel) => isMeant(tunnel, wanted));
  if (meant.length > 0 || mayBeNone) return meant;
  const problem =
    wanted === undefined ? `no tunnel is in use at ${api.url}` : `no tunnel at ${api.url} is called ${wanted}`;
  throw new AppError('input-invalid', `${problem}; name one by its id, or name the config that lists it with --config`);
}

/** By its name, or by the beginning of its id, which is what a narrow `adit status` shows. */
function isMeant({ id, name }: NamedTunnel, wanted: string): boolean {
  return name === wanted || (wanted.length >= fewestDigits && id.startsWith(wanted.toLowerCase()));
}

interface Known {
  readonly known: readonly NamedTunnel[];
  /** A manager authorised them, and they may be thousands. */
  readonly idle: readonly NamedTunnel[];
}

async function knownTunnels(api: ApiClient, configPath: string | undefined): Promise<Known> {
  const present = await api.get('/api/v1/tunnels', listSchema);
  const configured = configPath === undefined ? [] : (await readApiConfig(configPath)).tunnels;
  const refused = await api.get('/api/v1/refusals', refusedSchema);
  const answer = await api.get('/api/v1/authorized', authorizedSchema);
  const authorized = answer.kind === 'ok' ? answer.body.tunnels : [];
  const from = (wanted: string): ApiConfig['tunnels'] =>
    authorized
      .filter(({ source }) => source === wanted)
      .map(({ tunnel_id: id, name }) => ({ id, name: name ?? undefined }));
  return {
    known: named([
      ...(refused.kind === 'ok' ? refused.body : []),
      ...(present.kind === 'ok' ? present.body : []),
      ...from('config'),
      ...configured,
    ]),
    idle: named(from('manager')),
  };
}

function named(listed: ApiConfig['tunnels']): readonly NamedTunnel[] {
  return merged(
    listed.flatMap(({ id: text, name = null }) => {
      const id = parseTunnelId(text);
      return id === null ? [] : [{ id, name }];
    }),
  );
}

/** Each once, with the last name that it has. */
function merged(listed: readonly NamedTunnel[]): readonly NamedTunnel[] {
  const known = new Map<TunnelId, NamedTunnel>();
  for (const { id, name } of listed) known.set(id, { id, name: name ?? known.get(id)?.name ?? null });
  return [...known.values()];
}

function firstNotEmpty(first: readonly NamedTunnel[], second: readonly NamedTunnel[]): readonly NamedTunnel[] {
  return first.length > 0 ? first : second;
}
