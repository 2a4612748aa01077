import { once } from 'node:events';
import process from 'node:process';
import { WebSocket } from 'ws';
import { quantile } from '../statistics.ts';
import type { Connected, Counted, EventsSent, NodesQuestion } from './messages.ts';

/**
 * Simulated nodes: argument 1 the address, 2 how many, 3 `auth` or `plain`, 4 the first. Each sends stats once a
 * second, spread over it.
 */
const [, , url = '', countText = '0', mode = 'plain', fromText = '0'] = process.argv;
const count = Number(countText);
const filler = 'x'.repeat(1_900);
const timestamp = '2026-01-01T00:00:00.000Z';
const stats = JSON.stringify({ type: 'stats', timestamp, payload: { tunnels: [], filler } });
const dialsAtOnce = 50;
/** Short: a fleet does not send in steps, and a batch of 250 frames would be measured as the server's lag. */
const tickMs = 10;
const ticksPerSecond = 1_000 / tickMs;
const retryMs = 500;

const sockets: (WebSocket | undefined)[] = [];
let silent = true;
let raised = 0;
let sent = 0;

/** Rejects when it is refused or lost before it is in. */
async function dial(index: number): Promise<void> {
  const socket = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false });
  socket.on('error', () => undefined);
  // One for each ping that is not answered yet.
  socket.setMaxListeners(0);
  await opened(socket);
  if (mode === 'auth') {
    const id = `node-${Number(fromText) + index}`;
    const payload = { node_id: id, node_secret: id, software_version: 'bench', protocol_version: 1 };
    socket.send(JSON.stringify({ type: 'auth', timestamp, payload }));
    await Promise.race([once(socket, 'message'), lost(socket)]);
    socket.on('message', (data: Buffer) => answer(socket, data.toString()));
  }
  sockets[index] = socket;
}

async function opened(socket: WebSocket): Promise<void> {
  await Promise.race([once(socket, 'open'), lost(socket)]);
}

async function lost(socket: WebSocket): Promise<never> {
  await new Promise((resolve) => socket.once('close', resolve));
  throw new Error('the connection was lost');
}

function answer(socket: WebSocket, text: string): void {
  const { type } = JSON.parse(text) as { type: string };
  if (type === 'command') socket.send(JSON.stringify({ type: 'config_response', timestamp, payload: { tunnels: [] } }));
}

async function dialUntilIn(index: number): Promise<void> {
  for (;;) {
    try {
      await dial(index);
      return;
    } catch {
      // The server is not there yet, or has no room yet.
      await pause(retryMs);
    }
  }
}

async function dialAll(atOnce: number): Promise<void> {
  silent = true;
  let next = 0;
  const lanes = Array.from({ length: Math.min(atOnce, count) }, async () => {
    while (next < count) await dialUntilIn(next++);
  });
  await Promise.all(lanes);
  silent = false;
}

async function sendEvents(perSecond: number, seconds: number): Promise<EventsSent> {
  const startedMs = performance.now();
  const delays: number[] = [];
  const confirmations: Promise<void>[] = [];
  const perTick = perSecond / ticksPerSecond;
  let sent = 0;
  for (let tick = 1; tick <= seconds * ticksPerSecond; tick++) {
    for (; sent < perTick * tick; sent++) confirmations.push(...raise(delays, sent % 50 === 0));
    const dueMs = startedMs + tick * tickMs;
    await pause(Math.max(0, dueMs - performance.now()));
  }
  // Each event has a later pong of its socket's server, since confirmations come in order.
  confirmations.push(...raise(delays, true));
  await Promise.all(confirmations);
  const tookMs = performance.now() - startedMs;
  return { sent: sent + 1, confirmedMs: quantile(Float64Array.from(delays).sort(), 0.99), tookMs };
}

/** An event of the next node; with a ping behind it when it is to be confirmed. */
function raise(delays: number[], confirm: boolean): Promise<void>[] {
  const number = raised++;
  const socket = sockets[number % count];
  const details = { event_id: `${fromText}-${process.pid}-${number}` };
  const payload = { severity: 'info', category: 'edge', message: 'Edge connected from 192.0.2.1:4433', details };
  socket?.send(JSON.stringify({ type: 'event', timestamp, payload }));
  if (!confirm || socket === undefined) return [];
  const sentMs = performance.now();
  const confirmed = new Promise<void>((resolve) => {
    socket.once('pong', () => {
      delays.push(performance.now() - sentMs);
      resolve();
    });
  });
  socket.ping(`events-${number}`);
  return [confirmed];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function carryOut(question: NodesQuestion): Promise<Counted | EventsSent | Connected> {
  switch (question.kind) {
    case 'count':
      return { open: sockets.filter((socket) => socket?.readyState === WebSocket.OPEN).length, sent };
    case 'events':
      return sendEvents(question.perSecond, question.seconds);
    case 'reconnect':
      return connect(count);
  }
}

async function connect(atOnce: number): Promise<Connected> {
  const startedMs = performance.now();
  await dialAll(atOnce);
  return { connectedMs: performance.now() - startedMs };
}

// The benchmark is gone.
process.on('disconnect', () => process.exit());
process.on('message', (question: NodesQuestion) => {
  void carryOut(question).then((answered) => process.send?.(answered));
});
process.send?.(await connect(dialsAtOnce));

let next = 0;
const perTick = count / ticksPerSecond;
setInterval(() => {
  for (const end = next + perTick; next < end; next++) {
    if (silent) continue;
    sockets[Math.floor(next) % count]?.send(stats);
    sent += 1;
  }
}, tickMs);
