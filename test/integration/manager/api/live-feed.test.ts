import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { pause } from '../../../support/pause.ts';
import { until } from '../../../support/until.ts';

const nodes = 6_000;

interface LiveMessage {
  readonly type: string;
  readonly topic?: string;
  readonly more?: boolean;
  readonly items?: readonly { readonly id: string; readonly state: string }[];
}

describe('the live feed of a fleet that is larger than what may wait for a browser', () => {
  let bed: ApiBed;
  let token: string;

  beforeAll(async () => {
    bed = await ApiBed.start({ size: { nodes, tunnels: 1 } });
    token = await bed.tokenOf('viewer', await bed.signUp());
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  /** A browser that has opened the list of nodes. */
  async function open(topics: readonly string[] = ['nodes']) {
    const messages: LiveMessage[] = [];
    const socket = new WebSocket(`${bed.origin.replace('https', 'wss')}/ws/dashboard`, {
      ...{ rejectUnauthorized: false, headers: { authorization: `Bearer ${token}` } },
    });
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as LiveMessage));
    await once(socket, 'open');
    socket.send(JSON.stringify({ subscribe: topics }));
    const isWhole = () => messages.some(({ type, more }) => type === 'snapshot' && more === false);
    return { socket, messages, isWhole };
  }

  test('MF3 brings every node to one that reads slowly, and what changed meanwhile after that', async () => {
    const { socket, messages, isWhole } = await open();
    await until(() => messages.some(({ type }) => type === 'snapshot'), { what: 'the first part' });
    socket.pause();
    const last = (await bed.fleet.nodes.page({ limit: 1, q: `venue-edge-${nodes - 4}` })).items[0];
    if (last === undefined) throw new Error('the sample fleet has no such node');
    bed.fleet.putNode({ ...last, state: 'offline' });
    socket.resume();
    await until(isWhole, { what: 'the whole snapshot' });
    const rows = messages.flatMap(({ type, items = [] }) => (type === 'snapshot' ? items : []));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(nodes);
    const newest = () => messages.flatMap(({ items = [] }) => items).findLast(({ id }) => id === last.id);
    await until(() => newest()?.state === 'offline', { what: 'the change' });
    socket.terminate();
  });

  test('asks one that read too slowly for the news to read every list again', async () => {
    const { socket, messages, isWhole } = await open(['nodes', 'tunnels']);
    await until(isWhole, { what: 'the whole snapshot' });
    const all = (await bed.fleet.nodes.page({ limit: nodes })).items;
    socket.pause();
    // Megabytes in each period: more than the system and the manager keep for a browser.
    for (let period = 0; period < 12; period++) {
      for (const node of all) bed.fleet.putNode(node);
      await pause(600);
    }
    socket.resume();
    const isAsked = () =>
      messages.some(({ type, topic, items }) => type === 'delta' && topic === 'tunnels' && items?.length === 0);
    await until(isAsked, { what: 'a word to read the tunnels again' });
    socket.terminate();
  });

  test('brings the same to many that come at once', async () => {
    const browsers = await Promise.all(Array.from({ length: 8 }, () => open()));
    await until(() => browsers.every(({ isWhole }) => isWhole()), { what: 'all snapshots' });
    for (const { socket, messages } of browsers) {
      expect(messages.flatMap(({ type, items = [] }) => (type === 'snapshot' ? items : [])).length).toBe(nodes);
      socket.terminate();
    }
  });
});
