import type { AdminSource } from '../../admin/admin-source.ts';
import type { ProgramFacts } from '../../admin/program-facts.ts';
import type { EdgeHealth } from '../../protocol/node/edge-telemetry.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { EngineReport } from '../../quic/engine-report.ts';
import type { RtcDoorway } from '../flows/rtc-doorway.ts';
import type { FlowFacts, FlowStatsReport } from './flow-schemas.ts';
import type { EdgeTunnelFacts, EdgeTunnelReport } from './edge-schemas.ts';

/** What the admin server reads of an edge. Each result is a snapshot of now. */
export interface EdgeAdminSource extends AdminSource<EdgeHealth> {
  /** What is wrong with the program itself. */
  programFacts(): ProgramFacts;
  tunnels(): readonly EdgeTunnelReport[];
  /** Null for a tunnel that this edge does not have. */
  facts(id: TunnelId): EdgeTunnelFacts | null;
  flows(): readonly FlowStatsReport[];
  /** Null for a flow that this edge does not have. */
  flowFacts(id: string): FlowFacts | null;
  /** Where WebRTC peers come in; null where there is no such door. */
  rtcDoor(kind: 'whip' | 'whep', flowId: string, outputId: string | null): RtcDoorway | null;
  engine(): EngineReport;
  /** Null without a manager in the configuration. */
  managerConnected(): boolean | null;
}
