import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { AnswerCutter } from '../../support/manager/answer-cutter.ts';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { until } from '../../support/until.ts';

let manager: ManagerBed;
beforeAll(async () => {
  manager = await ManagerBed.start();
});
afterAll(() => manager[Symbol.asyncDispose]());

let names = 0;
const name = (): string => `node ${++names}`;

async function refusal(first: string | Uint8Array): Promise<string | undefined> {
  await using node = await SimNode.dial(manager.url);
  node.sendText(first);
  const frame = await node.frame(({ type }) => type === 'auth_error');
  expect(frame.payload).toEqual({ error: frame.message });
  await until(() => node.closed !== null);
  expect(node.closed?.code).toBe(4001);
  return frame.message;
}

const auth = (payload: unknown): string => JSON.stringify({ type: 'auth', payload });

describe('a node', () => {
  it.each([
    [Buffer.from([1, 2, 3]), 'First message must be a text auth frame'],
    ['rubbish', 'Invalid auth JSON: not a JSON object'],
    ['[]', 'Invalid auth JSON: not a JSON object'],
    ['{"type":"stats"}', "Expected 'auth' message type, got 'stats'"],
    [auth(null), 'Missing node_id in auth payload'],
    [auth({ node_id: 'x' }), 'Missing node_secret in auth payload'],
    [auth({ node_id: 'x', node_secret: 'y' }), 'Node not registered'],
    [auth({ registration_token: 'none' }), 'Invalid registration token'],
  ])('MA1 that begins with %s is refused in the words that nodes know', async (first, reason) => {
    expect(await refusal(first)).toBe(reason);
  });

  it('that invents types adds no reason to the metrics', async () => {
    const { refusals } = manager.program.manager.parts.admission;
    await refusal('{"type":"first"}');
    const reasons = refusals.size;
    for (const type of ['x\ny', "it's", '', "a' got 'b", '\u2028']) await refusal(JSON.stringify({ type }));
    expect(refusals.size).toBe(reasons);
  });

  it('that sends a large first frame is cut before the frame is whole', async () => {
    await using node = await SimNode.dial(manager.url);
    node.sendText('x'.repeat(1_000_000));
    await until(() => node.closed !== null);
    expect([node.closed?.code, node.frames]).toEqual([1006, []]);
  });

  it('MA1 in the field registers and connects with frames as it writes them', async () => {
    const { id, token } = await manager.add(name());
    await using first = await SimNode.dial(manager.url);
    first.sendText(
      `{"payload":{"protocol_version":4,"registration_token":"${token}","software_version":"0.106.0"},"type":"auth"}`,
    );
    const ack = await first.frame(({ type }) => type === 'register_ack');
    expect(Object.keys(ack)).toEqual(['type', 'timestamp', 'payload']);
    const { node_id, node_secret } = ack.payload as { node_id: string; node_secret: string };
    expect(node_id).toBe(id);
    expect(node_secret).toMatch(/^[0-9a-f]{64}$/);
    const [event] = await manager.eventsOf('compatibility', id);
    expect(event).toMatchObject({
      severity: 'warning',
      message: 'Node WebSocket protocol version (4) differs from manager (1). Consider upgrading.',
    });
    expect(await manager.fleet.nodes.get(id)).toMatchObject({ protocol_version: 4, state: 'online' });
  });

  it('MA1 may send unknown types, null payloads and frames without an envelope: it stays', async () => {
    const { id, node } = await manager.join(name());
    await using _node = node;
    node.say('pong', null);
    node.say('of-tomorrow', {});
    node.send({ type: 'event', payload: { message: 'dropped' } });
    node.sendText('rubbish');
    node.say('event', { severity: 'loud', message: 'kept' });
    const events = await until(async () => {
      const found = (await manager.events(id)).filter(({ message }) => message === 'kept');
      return found.length > 0 ? found : null;
    });
    expect(events).toMatchObject([{ severity: 'info', category: '' }]);
    expect((await manager.events(id)).some(({ message }) => message === 'dropped')).toBe(false);
    expect(node.isOpen).toBe(true);
  });

  it('MA1 that sends more than 5 MiB in a frame is cut off', async () => {
    const { node } = await manager.join(name());
    node.sendText('x'.repeat(5 * 1_048_576 + 1));
    await until(() => node.closed !== null);
  });
});

describe('registering', () => {
  it('MA2 is repeatable while the answer was lost, with the same token and id', async () => {
    const { id, token } = await manager.add(name());
    for (const tries of [1, 2, 3]) {
      await using node = await SimNode.dial(manager.url);
      const ack = await node.authenticate({ registration_token: token });
      expect([tries, ack.payload]).toMatchObject([tries, { node_id: id }]);
      await node[Symbol.asyncDispose]();
      await until(async () => (await manager.fleet.nodes.get(id)).state !== 'online');
    }
    const again = (await manager.events(id)).filter(({ message }) => message === 'Registration token used again');
    expect(again).toHaveLength(2);
  });

  it('MA2 is repeatable wherever its answer is cut: the node gets in with the same token and id', async () => {
    await using cutter = await AnswerCutter.start(Number(new URL(manager.url).port));
    const url = `wss://127.0.0.1:${cutter.port}`;
    const { id, token } = await manager.add(name());
    const gone = () => until(async () => (await manager.fleet.nodes.get(id)).state !== 'online');
    const registerCutAfter = async (bytes: number): Promise<string> => {
      cutter.cutAfter(Infinity);
      await using node = await SimNode.dial(url);
      cutter.cutAfter(bytes);
      const { type, payload } = await node.authenticate({ registration_token: token });
      if (type === 'register_ack') expect(payload).toMatchObject({ node_id: id });
      return type;
    };
    expect(await registerCutAfter(Infinity)).toBe('register_ack');
    const whole = cutter.answered;
    await gone();
    const seen = new Set<string>();
    for (let bytes = 0; bytes < whole; bytes += 11) {
      seen.add(await registerCutAfter(bytes));
      await gone();
    }
    expect(seen).toContain('closed');
    await using node = await SimNode.dial(manager.url);
    const { payload } = await node.authenticate({ registration_token: token });
    expect(payload).toMatchObject({ node_id: id });
    await node[Symbol.asyncDispose]();
    await gone();
    await using back = await SimNode.connect(manager.url, payload as Readonly<Record<string, unknown>>);
    expect((await manager.fleet.nodes.get(id)).secrets).toHaveLength(1);
    expect(back.isOpen).toBe(true);
  });

  it('MA3 is refused while the node is online, and after it used its secret once', async () => {
    const { id, token, credentials, node } = await manager.join(name());
    await using _node = node;
    expect(await refusal(auth({ registration_token: token }))).toBe('Invalid registration token');
    await node[Symbol.asyncDispose]();
    await until(async () => (await manager.fleet.nodes.get(id)).state !== 'online');
    expect(await refusal(auth({ registration_token: token }))).toBe('Invalid registration token');
    await using back = await SimNode.connect(manager.url, credentials);
    expect(back.isOpen).toBe(true);
  });

  it('MA3 anew by an operator leaves the old secret in force until the new one is used', async () => {
    const { id, credentials, node } = await manager.join(name());
    await node[Symbol.asyncDispose]();
    const { registration_token: token } = await manager.fleet.nodes.newToken(id, admin);
    await using old = await SimNode.connect(manager.url, credentials);
    await old[Symbol.asyncDispose]();
    await until(async () => (await manager.fleet.nodes.get(id)).state !== 'online');
    await using fresh = await SimNode.dial(manager.url);
    const ack = await fresh.authenticate({ registration_token: token });
    const { node_secret } = ack.payload as { node_secret: string };
    await fresh[Symbol.asyncDispose]();
    await using used = await SimNode.connect(manager.url, { node_id: id, node_secret });
    expect(used.isOpen).toBe(true);
    expect(await refusal(auth(credentials))).toBe('Invalid node secret');
  });
});

describe('the secret of a node that has just registered', () => {
  const secretsOf = async (id: string): Promise<readonly string[]> =>
    (await manager.fleet.nodes.get(id)).secrets.map(({ state }) => state);

  it('is confirmed by the first frame after it, and in use from the next connect', async () => {
    const { id, token } = await manager.add(name());
    const node = await SimNode.dial(manager.url);
    const ack = await node.authenticate({ registration_token: token });
    node.sendText('rubbish');
    expect(await secretsOf(id)).toEqual(['issued']);
    node.say('health', { status: 'ok' });
    await until(async () => (await secretsOf(id))[0] === 'acknowledged');
    await node[Symbol.asyncDispose]();
    const { node_secret } = ack.payload as { node_secret: string };
    await using back = await SimNode.connect(manager.url, { node_id: id, node_secret });
    expect(back.isOpen).toBe(true);
    expect(await secretsOf(id)).toEqual(['in_use']);
  });
});

describe('a node that may not come in', () => {
  it('MA5 is refused when it is disabled, expired or deleted, and a live one is closed within a second', async () => {
    const { id, credentials, node } = await manager.join(name());
    await manager.fleet.nodes.setDisabled(id, true, admin);
    await until(() => node.closed !== null);
    expect(await refusal(auth(credentials))).toBe('Node is disabled');
    await manager.fleet.nodes.setDisabled(id, false, admin);
    await manager.fleet.nodes.patch(id, { expires_at: new SystemClock().now() - 1 }, null, admin);
    expect(await refusal(auth(credentials))).toBe('Node has expired');
    await manager.fleet.nodes.patch(id, { expires_at: null }, null, admin);
    const back = await SimNode.connect(manager.url, credentials);
    await manager.fleet.nodes.remove(id, false, admin);
    await until(() => back.closed !== null);
    expect(await refusal(auth(credentials))).toBe('Node not registered');
  });

  it('MA5 that another instance holds loses its session there when it is disabled, or disconnected', async () => {
    const { store } = manager.program.manager.parts;
    const { id } = await manager.add(name());
    await store.instances.register({ id: 'other', name: 'other', url: null, version: '1', started_at: 1 });
    const acts = [
      () => manager.fleet.nodes.disconnect(id, admin),
      () => manager.fleet.nodes.setDisabled(id, true, admin),
    ];
    for (const [index, act] of acts.entries()) {
      await store.sessions.claim(id, 'other', '192.0.2.1:1', 1);
      await act();
      expect(await store.sessions.of(id)).toBeNull();
      const lost = (await manager.eventsOf('connection', id, index + 1)).map(({ message }) => message);
      expect(lost).toEqual(Array(index + 1).fill('Node disconnected from manager'));
    }
    await expect(manager.fleet.nodes.disconnect(id, admin)).rejects.toMatchObject({ code: 'node_offline' });
  });

  it('MA5 is closed when it expires while it is connected', async () => {
    const { id, credentials, node } = await manager.join(name());
    await node[Symbol.asyncDispose]();
    await manager.fleet.nodes.patch(id, { expires_at: new SystemClock().now() + 1_500 }, null, admin);
    const back = await SimNode.connect(manager.url, credentials);
    await until(() => back.closed !== null);
  });
});

it('a node that two operators change at once has a generation for each change that was taken', async () => {
  const { id } = await manager.add(name());
  const before = await manager.fleet.nodes.get(id);
  const changes = await Promise.allSettled([
    manager.fleet.nodes.patch(id, { description: 'one' }, null, admin),
    manager.fleet.nodes.patch(id, { region: 'other' }, null, admin),
    manager.fleet.nodes.setDisabled(id, true, admin),
  ]);
  const taken = changes.filter(({ status }) => status === 'fulfilled').length;
  expect((await manager.fleet.nodes.get(id)).generation).toBe(before.generation + taken);
});

describe('the kind of a node', () => {
  it.each([
    [undefined, 'relay'],
    ['relay', 'relay'],
    ['edge', 'edge'],
    ['observer', 'observer'],
    ['camera', 'other'],
    [5, 'other'],
  ])('that was added as a relay and sends the device_type %s is %s', async (device_type, kind) => {
    const { id, credentials, node } = await manager.join(name(), 'relay');
    await node[Symbol.asyncDispose]();
    await using again = await SimNode.connect(manager.url, { ...credentials, device_type });
    expect(again.isOpen).toBe(true);
    await until(async () => (await manager.fleet.nodes.get(id)).kind === kind, { what: `the node is of kind ${kind}` });
  });
});

describe('several sockets of one node', () => {
  it('MB2 many sockets of one id that race leave exactly one, the newest, which answers', async () => {
    const { id, credentials, node } = await manager.join(name());
    await using _node = node;
    const racers = await Promise.all(Array.from({ length: 8 }, () => SimNode.connect(manager.url, credentials)));
    const open = await until(() => {
      const still = [node, ...racers].filter((racer) => racer.isOpen);
      return still.length === 1 ? still : null;
    });
    expect(open).toHaveLength(1);
    await manager.steady(id);
    expect(await manager.fleet.nodes.command(id, { type: 'list_tunnels' }, admin)).toMatchObject({ success: true });
    for (const racer of racers) await racer[Symbol.asyncDispose]();
  });
});

describe('pings', () => {
  it('are answered at once, those of an outbox when everything before is stored', async () => {
    const { id, node } = await manager.join(name());
    await using _node = node;
    for (let index = 0; index < 500; index++) node.event(`event ${index}`, `id ${index % 250}`);
    node.ping('events-500');
    node.ping('alive');
    await until(() => node.pongs.includes('events-500'), { what: 'the pong of the outbox' });
    expect(await manager.fleet.events.count({ nodeId: id, category: 'edge' })).toBe(250);
    expect(node.pongs).toContain('alive');
  });
});

describe('commands', () => {
  it('fail at once when the node leaves, each with its own error', async () => {
    const { id, node } = await manager.join(name(), 'edge', (sim) => {
      sim.answer = ({ action }) => (action.type === 'refuse' ? { error: 'no', error_code: 'odd' } : 'silence');
    });
    const ask = (type: string) => manager.fleet.nodes.command(id, { type }, admin);
    await expect(ask('refuse')).rejects.toMatchObject({ status: 422, message: 'no', nodeErrorCode: 'odd' });
    const hanging = ask('hang');
    await node.command('hang');
    node.terminate();
    await expect(hanging).rejects.toMatchObject({ status: 409, message: 'Node disconnected' });
    await until(async () => (await manager.fleet.nodes.get(id)).state !== 'online');
    await expect(ask('hang')).rejects.toMatchObject({ status: 409 });
    await expect(manager.fleet.nodes.command('none', { type: 'x' }, admin)).rejects.toMatchObject({ status: 404 });
  });
});

describe('stats', () => {
  it('are kept in memory and never written', async () => {
    const { id, node } = await manager.join(name());
    await using _node = node;
    await manager.steady(id);
    const written = manager.program.writes();
    for (let index = 0; index < 100; index++) node.say('stats', { uptime_secs: index });
    const known = async () => JSON.stringify(await manager.fleet.nodes.stats(id));
    await until(async () => (await known()).includes('"uptime_secs":99'));
    expect(manager.program.writes()).toBe(written);
  });
});
