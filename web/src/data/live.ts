import { signal } from '@preact/signals';
import type { LiveMessage } from './live-message.ts';
import { me, sessionEnded, signInNeeded } from './session.ts';
import { every, later, nowMs } from './time.ts';

type Listener = (message: LiveMessage) => void;

export type LinkState = 'connecting' | 'live' | 'stale';

export const linkState = signal<LinkState>('connecting');

/** When the last message came; 0 before the first. */
export const lastMessageAt = signal(0);

const staleAfterMs = 6_000;
/** A connection that is neither open nor refused by then is given up. */
const openWithinMs = 10_000;
const firstRetryMs = 500;
const longestRetryMs = 10_000;
/** The manager closes the socket with it when the session has ended. */
const sessionEndedCode = 4401;

const listeners = new Map<string, Set<Listener>>();
let socket: WebSocket | null = null;
let openBy = 0;
let wasOpen = false;
let retryMs = firstRetryMs;
let cancelRetry: (() => void) | null = null;

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
  every(giveUpIfSilent, 1_000);
  addEventListener('offline', () => lost());
  addEventListener('online', reconnectLive);
}

/** A cut network closes no socket: the page notices that nothing comes. */
function giveUpIfSilent(): void {
  const now = nowMs();
  const isOpening = socket?.readyState === WebSocket.CONNECTING;
  if (isOpening && now > openBy) lost();
  if (linkState.value === 'live' && now - lastMessageAt.value > staleAfterMs) lost();
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
  openBy = nowMs() + openWithinMs;
  attempt.addEventListener('open', () => {
    if (socket === attempt) opened();
  });
  attempt.addEventListener('message', (event) => {
    if (socket === attempt) receive(String(event.data));
  });
  attempt.addEventListener('close', ({ code }) => {
    if (socket !== attempt) return;
    if (code === sessionEndedCode) sessionEnded();
    lost();
  });
}

function opened(): void {
  retryMs = firstRetryMs;
  subscribe();
  if (wasOpen) readEverythingAgain();
  wasOpen = true;
}

/** What changed while there was no connection, no message names. */
function readEverythingAgain(): void {
  for (const [topic, set] of listeners) {
    for (const listener of set) listener({ type: 'delta', topic, items: [] });
  }
}

/** Leaves the socket, whose end may never be noticed otherwise, and tries another one. */
function lost(): void {
  const left = socket;
  socket = null;
  left?.close();
  linkState.value = 'stale';
  retryLater();
}

function retryLater(): void {
  cancelRetry?.();
  cancelRetry = later(connect, retryMs);
  retryMs = Math.min(longestRetryMs, retryMs * 2);
}

/** Connects anew at once: the network is back, or the session is another one now. */
export function reconnectLive(): void {
  const left = socket;
  socket = null;
  left?.close();
  cancelRetry?.();
  retryMs = firstRetryMs;
  connect();
}

function receive(text: string): void {
  const message = JSON.parse(text) as LiveMessage;
  lastMessageAt.value = nowMs();
  linkState.value = 'live';
  if (message.topic === undefined) return;
  for (const listener of listeners.get(message.topic) ?? []) listener(message);
}
