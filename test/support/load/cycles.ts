import type { SocketAddress } from '../../../src/quic/types.ts';
import { HostileEdge } from '../hostile/hostile-edge.ts';
import { knownTunnelId } from '../samples/known-tunnel-id.ts';

/** Config for tests in which one address plays thousands of edges. */
export const roomyLimits = {
  require_bind_auth: false,
  max_connections_per_ip: 100_000,
  limits: { accept_rate_per_ip_per_sec: 0, retry_after_handshakes_per_sec: 0, max_connections: 100_000 },
} as const;

export interface CyclesOrder {
  readonly address: SocketAddress;
  readonly cycles: number;
  readonly atOnce: number;
  /** Makes the ids of this run differ from another's: 8 hex digits. */
  readonly run: string;
}

/** Connects, says hello, binds, waits for the answer and leaves, over and over; every tunnel id is used once. */
export async function comeAndGo({ address, cycles, atOnce, run }: CyclesOrder): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < cycles) {
      const cycle = next++;
      const tunnelId = knownTunnelId(`${run}-0000-4000-8000-${cycle.toString(16).padStart(12, '0')}`);
      const bind = { tunnelId, direction: 'egress', protocol: cycle % 2 === 0 ? 'udp' : 'tcp' } as const;
      const edge = await HostileEdge.bound({ remote: address }, bind);
      await edge[Symbol.asyncDispose]();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}
