import { once } from 'node:events';
import process from 'node:process';
import { WebSocket } from 'ws';

/** Simulated nodes: argument 1 the address, 2 how many, 3 `auth` or `plain`, 4 the first. Sends stats once a second each, spread. */
const [, , url = '', countText = '0', mode = 'plain', fromText = '0'] = process.argv;
const count = Number(countText);
const filler = 'x'.repeat(1_900);
const stats = JSON.stringify({
  type: 'stats',
  timestamp: '2026-01-01T00:00:00.000Z',
  payload: { tunnels: [], filler },
});
const dialsAtOnce = 50;

async function dial(index: number): Promise<WebSocket> {
  const socket = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  if (mode === 'plain') return socket;
  const id = `node-${Number(fromText) + index}`;
  const payload = { node_id: id, node_secret: id, software_version: 'bench', protocol_version: 1 };
  socket.send(JSON.stringify({ type: 'auth', timestamp: '', payload }));
  await once(socket, 'message');
  socket.on('message', (data: Buffer) => answer(socket, data.toString()));
  return socket;
}

function answer(socket: WebSocket, text: string): void {
  const { type } = JSON.parse(text) as { type: string };
  if (type !== 'command') return;
  socket.send(JSON.stringify({ type: 'config_response', timestamp: '', payload: { tunnels: [] } }));
}

const startedMs = performance.now();
const sockets: WebSocket[] = [];
for (let from = 0; from < count; from += dialsAtOnce) {
  const size = Math.min(dialsAtOnce, count - from);
  sockets.push(...(await Promise.all(Array.from({ length: size }, (_, index) => dial(from + index)))));
}
process.send?.({ connectedMs: performance.now() - startedMs });

let sent = 0;
let next = 0;
const perTick = count / 20;
setInterval(() => {
  for (const end = next + perTick; next < end; next++) sockets[Math.floor(next) % count]?.send(stats);
  sent += perTick;
}, 50);
process.on('message', () =>
  process.send?.({ sent, open: sockets.filter(({ readyState }) => readyState === 1).length }),
);
