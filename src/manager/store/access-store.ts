import type {
  ApiTokenRow,
  AuditRow,
  NewUser,
  UserChange,
  UserRow,
  UserSessionRow,
  WebhookChange,
  WebhookDeliveryRow,
  WebhookRow,
} from './access-schema.ts';
import type { AuditStore, Page, PageQuery } from './store.ts';

export interface UserStore {
  /** Within a transaction, before it reads: others that change users wait for its end. */
  lock(): Promise<void>;
  /** By name. */
  page(query: PageQuery): Promise<Page<UserRow>>;
  get(id: string): Promise<UserRow | null>;
  /** In any case. */
  byName(name: string): Promise<UserRow | null>;
  bySubject(subject: string): Promise<UserRow | null>;
  /** False where the name is taken. */
  insert(user: NewUser): Promise<boolean>;
  /** Null where there is no such user, or it has another generation than the one that is asked for. */
  change(id: string, change: UserChange, generation?: number): Promise<UserRow | null>;
  /** With its sessions. False where there is no such user, or it has another generation. */
  remove(id: string, generation?: number): Promise<boolean>;
  count(): Promise<number>;
  /** Administrators that may sign in. */
  countAdmins(): Promise<number>;
}

export interface UserSessionStore {
  insert(session: UserSessionRow): Promise<void>;
  get(tokenHash: string): Promise<UserSessionRow | null>;
  touch(tokenHash: string, at: number): Promise<void>;
  remove(tokenHash: string): Promise<void>;
  /** All of one user but the one to keep. */
  removeOf(userId: string, keep?: string): Promise<void>;
  removeExpired(now: number, idleSince: number): Promise<void>;
  countsByUser(): Promise<readonly { user_id: string; count: number; last_used_at: number }[]>;
}

export interface ApiTokenStore {
  page(query: PageQuery): Promise<Page<ApiTokenRow>>;
  get(id: string): Promise<ApiTokenRow | null>;
  byHash(hash: string): Promise<ApiTokenRow | null>;
  insert(token: ApiTokenRow): Promise<void>;
  touch(id: string, at: number): Promise<void>;
  remove(id: string): Promise<boolean>;
}

export interface WebhookStore {
  page(query: PageQuery): Promise<Page<WebhookRow>>;
  all(): Promise<readonly WebhookRow[]>;
  get(id: string): Promise<WebhookRow | null>;
  insert(webhook: Omit<WebhookRow, 'generation'>): Promise<void>;
  change(id: string, change: WebhookChange, generation?: number): Promise<WebhookRow | null>;
  /** False where there is no such webhook, or it has another generation. */
  remove(id: string, generation?: number): Promise<boolean>;
}

export interface DeliveryStore {
  insert(deliveries: readonly WebhookDeliveryRow[]): Promise<void>;
  /** Takes calls that are due; none is taken by two instances before `untilMs`. */
  claim(now: number, untilMs: number, claimant: string, limit: number): Promise<readonly WebhookDeliveryRow[]>;
  change(id: string, change: Partial<WebhookDeliveryRow>): Promise<void>;
  /** Calls of this webhook that wait are made no more, and say why. */
  giveUp(webhookId: string, at: number, why: string): Promise<void>;
  /** The newest finished or tried call of each webhook, and how many wait. */
  latest(): Promise<readonly { webhook_id: string; at: number; error: string | null; waiting: number }[]>;
  forgetDone(before: number): Promise<void>;
}

export interface AuditReader {
  /** Newest first. `after` is the id of the last row of the page before. */
  page(query: {
    readonly limit: number;
    readonly after: number | null;
    readonly q?: string;
  }): Promise<readonly AuditRow[]>;
  /** Oldest first, from behind an id; for checking the chain. */
  chain(after: number, limit: number): Promise<readonly AuditRow[]>;
  /** Newest first, of one target; `actions` is how they begin, as `tunnel.` */
  ofTarget(target: string, actions: string, limit: number): Promise<readonly AuditRow[]>;
  /** Deletes what is older, and keeps the hash that the rest is chained to. */
  prune(before: number): Promise<void>;
  /** The hash before the oldest row: empty unless rows were pruned. */
  anchor(): Promise<string>;
}

/** Users and what they may do; the trail of what they did. */
export interface AccessStore {
  readonly users: UserStore;
  readonly sessions: UserSessionStore;
  readonly tokens: ApiTokenStore;
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly audit: AuditStore;
  readonly trail: AuditReader;
  /** All or nothing. Within it nothing but the database may be awaited. */
  transaction<Result>(work: (store: AccessStore) => Promise<Result>): Promise<Result>;
}
