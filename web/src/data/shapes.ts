/** The shapes of the REST API, from the schemas that also write its OpenAPI document. Types only. */
export type { Page, PushStatus, Refusal, Role, RunningState, Severity } from '../../../src/manager/views/common.ts';
export type { FlowLive } from '../../../src/manager/views/flow-live.ts';
export type { AgentReport } from '../../../src/observer/admin/observer-schemas.ts';
export type { LegRow, NodeDetail, NodeRow, NodeState, NodeStats } from '../../../src/manager/views/nodes.ts';
export type {
  FlowRow,
  HistoryEntry,
  TunnelDetail,
  TunnelRow,
  TunnelSide,
  TunnelStatus,
  TunnelWritten,
  Why,
} from '../../../src/manager/views/tunnels.ts';
export type {
  DriftActionName,
  DriftRow,
  EventRow,
  InstanceRow,
  Overview,
} from '../../../src/manager/views/watching.ts';
export type {
  ApiTokenRow,
  AuditCheck,
  AuditRow,
  Me,
  SettingRow,
  SignInRefusal,
  UserRow,
  WebhookRow,
  WebhookTrigger,
} from '../../../src/manager/views/access.ts';
