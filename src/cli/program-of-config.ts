import { AppError } from '../lib/app-error.ts';
import { readJsonFile } from '../config/json-file.ts';
import { asJsonObject } from '../lib/json.ts';

export type ProgramKind = 'relay' | 'edge' | 'observer' | 'manager';

/** Keys that only one program's config has, at the top or in a tunnel. */
const ownKeys: Readonly<Record<ProgramKind, readonly string[]>> = {
  relay: ['quic_addr', 'quic_addrs', 'api_addrs', 'require_bind_auth', 'limits', 'public_quic_addr'],
  edge: ['edge_id', 'flows'],
  observer: ['threshold_ms', 'udp_port', 'recovery_exec'],
  manager: ['listen', 'database', 'master_key_path', 'public_url', 'settle_secs', 'retry_secs', 'ghost_after_secs'],
};
const ownTunnelKeys: Readonly<Partial<Record<ProgramKind, readonly string[]>>> = {
  relay: ['bind_secret'],
  edge: ['direction', 'local_addr', 'relay_addr', 'relay_addrs', 'tunnel_encryption_key'],
};

/** Which program a config file is for, judged by its keys; in doubt a relay, or an edge where it has an `api_addr`. */
export function programOf(content: unknown): ProgramKind {
  const fields = asJsonObject(content) ?? {};
  return surelyOf(fields) ?? ('api_addr' in fields ? 'edge' : 'relay');
}

/** Rejects a config that belongs to another program and names the command that runs it. AppError `config-invalid`. */
export async function refuseOthersConfig(path: string, kind: ProgramKind): Promise<void> {
  const other = surelyOf(asJsonObject(await readJsonFile(path)) ?? {});
  if (other === null || other === kind) return;
  throw new AppError(
    'config-invalid',
    `${path} is a config of ${named(other)}; start it with: adit ${other} -c ${path}`,
  );
}

export function named(kind: ProgramKind): string {
  return { relay: 'a relay', edge: 'an edge', observer: 'an observer', manager: 'a manager' }[kind];
}

/** Null for a file that either may have. */
function surelyOf(fields: Readonly<Record<string, unknown>>): ProgramKind | null {
  const tunnels: readonly unknown[] = Array.isArray(fields['tunnels']) ? fields['tunnels'] : [];
  const has = (kind: ProgramKind): boolean =>
    ownKeys[kind].some((key) => key in fields) ||
    tunnels.some((tunnel) => (ownTunnelKeys[kind] ?? []).some((key) => key in (asJsonObject(tunnel) ?? {})));
  const [kind, ...others] = (['relay', 'edge', 'observer', 'manager'] as const).filter(has);
  return kind === undefined || others.length > 0 ? null : kind;
}
