import { signal } from '@preact/signals';
import { me, signInNeeded } from './session.ts';
import { every, later, nowMs } from './time.ts';

export interface LiveMessage {
  readonly type: 'snapshot' | 'delta' | 'tick';
  readonly topic?: string;
  readonly items?: readonly unknown[];
  readonly removed?: readonly string[];
}

type Listener = (message: LiveMessage) => void;

export type LinkState = 'connecting' | 'live' | 'stale';

export const linkState = signal<LinkState>('connecting');

/** When the last message came; 0 before the first. */
export const lastMessageAt = signal(0);

const staleAfterMs = 6_000;
const longestRetryMs = 10_000;

const listeners = new Map<string, Set<Listener>>();
let socket: WebSocket | null = null;
let retryMs = 500;

/** Calls back with every message about a topic until the returned function is called. */
export function follow(topic: string, listener: Listener): () => void {
  const known = listeners.get(topic);
  if (known === undefined) {
    listeners.set(topic, new Set([listener]));
    subscribe();
  } else {
    known.add(listener);
  }
  return () => {
    const set = listeners.get(topic);
    set?.delete(listener);
    if (set?.size !== 0) return;
    listeners.delete(topic);
    subscribe();
  };
}

function subscribe(): void {
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ subscribe: [...listeners.keys()] }));
}

/** Connects, and again after each loss. Call once. */
export function startLive(): void {
  connect();
  every(() => {
    if (linkState.value === 'live' && nowMs() - lastMessageAt.value > staleAfterMs) linkState.value = 'stale';
  }, 1_000);
}

function connect(): void {
  if (me.value === null || signInNeeded.value) {
    retryLater();
    return;
  }
  const url = new URL('/ws/dashboard', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const attempt = new WebSocket(url);
  socket = attempt;
  attempt.addEventListener('open', () => {
    retryMs = 500;
    subscribe();
  });
  attempt.addEventListener('message', (event) => receive(String(event.data)));
  attempt.addEventListener('close', () => {
    if (linkState.value === 'live') linkState.value = 'stale';
    retryLater();
  });
}

function retryLater(): void {
  later(connect, retryMs);
  retryMs = Math.min(longestRetryMs, retryMs * 2);
}

/** Connects anew at once: the session that the socket was opened with is another one now. */
export function reconnectLive(): void {
  retryMs = 250;
  socket?.close();
}

function receive(text: string): void {
  const message = JSON.parse(text) as LiveMessage;
  lastMessageAt.value = nowMs();
  linkState.value = 'live';
  if (message.topic === undefined) return;
  for (const listener of listeners.get(message.topic) ?? []) listener(message);
}
