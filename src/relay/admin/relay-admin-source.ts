import type { AdminSource } from '../../admin/admin-source.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { EngineReport } from '../../quic/types.ts';
import type {
  ManagerLinkReport,
  RelayEdgeReport,
  RelayHealthReport,
  RelayStatsReport,
  RelayTunnelReport,
  TunnelFacts,
} from './relay-schemas.ts';

/** What the admin server asks of a relay. Each answer is a snapshot of now. */
export interface RelayAdminSource extends AdminSource<RelayHealthReport> {
  stats(): RelayStatsReport;
  tunnels(): readonly RelayTunnelReport[];
  /** Null when nobody holds a leg of it. */
  tunnel(id: TunnelId): RelayTunnelReport | null;
  edges(): readonly RelayEdgeReport[];
  /** Also of tunnels that nobody holds or knows. */
  facts(id: TunnelId): TunnelFacts;
  /** Takes both legs away and revokes the tunnel; the number of legs, or null when there is no such tunnel. */
  deleteTunnel(id: TunnelId): Promise<number | null>;
  /** Lifts a revocation, also on disk; false when there is none. */
  unrevoke(id: TunnelId): Promise<boolean>;
  engine(): EngineReport;
  /** Datagrams and streams from connections that hold no leg of the tunnel that they name. */
  unboundSender(): number;
  /** Datagrams dropped by reason, in all tunnels that are or were. */
  dropTotals(): Readonly<Record<string, number>>;
  /** Null without a manager in the configuration. */
  managerLink(): ManagerLinkReport | null;
}
