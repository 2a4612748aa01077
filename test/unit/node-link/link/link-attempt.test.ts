import { describe, expect, it } from 'vitest';
import { rfc3339 } from '../../../../src/lib/clock.ts';
import { LinkAttempt, type AttemptResult } from '../../../../src/node-link/link/link-attempt.ts';
import type { ManagerCommand, NodeCredentials } from '../../../../src/protocol/node/node-message.ts';
import { FakeDialler } from '../../../support/fakes/fake-dialler.ts';
import { ManualClock, settle } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

const known: NodeCredentials = { node_id: 'n', node_secret: 's' };
const token: NodeCredentials = { registration_token: 'tok' };

function start(credentials: NodeCredentials = known, stored: Promise<void> = Promise.resolve()) {
  const clock = new ManualClock();
  const dialler = new FakeDialler();
  const logger = new RecordingLogger();
  const seen: string[] = [];
  const commands: ManagerCommand[] = [];
  const results: AttemptResult[] = [];
  const owner = {
    registered: (nodeId: string, nodeSecret: string) => {
      seen.push(`registered ${nodeId} ${nodeSecret}`);
      return stored;
    },
    authenticated: () => void seen.push('authenticated'),
    command: (command: ManagerCommand) => void commands.push(command),
    ponged: (payload: string) => void seen.push(`ponged ${payload}`),
    ended: (result: AttemptResult) => void results.push(result),
  };
  const check = { kind: 'chain', pins: [] } as const;
  const attempt = new LinkAttempt(
    { clock, logger, dialler, owner },
    { url: 'wss://m/ws/node', check, credentials, softwareVersion: '1.0.0' },
  );
  attempt.start();
  return { attempt, clock, logger, seen, commands, results, socket: dialler.last };
}

function online(credentials: NodeCredentials = known) {
  const run = start(credentials);
  run.socket.open();
  run.socket.receive({ type: 'auth_ok' });
  return run;
}

describe('connecting', () => {
  it('has one deadline of 10 s', async () => {
    const { clock, socket, results } = start();
    await clock.advanceAsync(9_999);
    expect(results).toEqual([]);
    await clock.advanceAsync(1);
    expect(results).toEqual([{ end: 'failed', error: 'no connection within 10 s' }]);
    expect(socket.ended).toBe('terminated');
    expect(clock.pendingTimers).toBe(0);
  });

  it('that fails says why', () => {
    const { socket, results } = start();
    socket.end('getaddrinfo ENOTFOUND m');
    expect(results).toEqual([{ end: 'failed', error: 'getaddrinfo ENOTFOUND m' }]);
  });
});

describe('authentication', () => {
  it('sends who the node is as its first frame', () => {
    const { socket, clock } = start();
    socket.open();
    expect(socket.sent).toEqual([
      {
        type: 'auth',
        timestamp: rfc3339(clock.now()),
        payload: { node_id: 'n', node_secret: 's', software_version: '1.0.0', protocol_version: 1 },
      },
    ]);
  });

  it.each([
    [{ type: 'auth_error', message: 'Invalid node secret' }, 'Invalid node secret'],
    [{ type: 'auth_error', payload: { message: 'Disabled' } }, 'Disabled'],
    [{ type: 'auth_error', payload: { error: 'No such node' } }, 'No such node'],
    [{ type: 'auth_error' }, 'no reason given'],
  ])('is refused by %j', async (answer, reason) => {
    const { socket, results } = start();
    socket.open();
    socket.receive(answer);
    await settle();
    expect(results).toEqual([{ end: 'refused', reason }]);
  });

  it.each([
    ['not JSON', '{'],
    ['not an object', '[]'],
    ['of another type', { type: 'health' }],
    ['a command', { type: 'command', payload: { command_id: 'x', action: { type: 'get_config' } } }],
    ['a registration that was not asked for', { type: 'register_ack', payload: { node_id: 'a', node_secret: 'b' } }],
  ])('fails on an answer that is %s', async (_name, answer) => {
    const { socket, results, seen } = start();
    socket.open();
    socket.receive(answer);
    await settle();
    expect(results).toMatchObject([{ end: 'failed', error: expect.stringContaining('unexpected answer') as string }]);
    expect(seen).toEqual([]);
  });

  it.each([
    { type: 'register_ack', payload: { node_id: 'a' } },
    { type: 'register_ack', payload: { node_id: 'a', node_secret: '' } },
    { type: 'register_ack', payload: { node_id: 'a', node_secret: 'x'.repeat(1024 * 1024) } },
    { type: 'register_ack', payload: null },
    { type: 'auth_ok' },
  ])('of a token fails on an unusable answer', async (answer) => {
    const { socket, results, seen } = start(token);
    socket.open();
    socket.receive(answer);
    await settle();
    expect(results).toMatchObject([{ end: 'failed' }]);
    expect(JSON.stringify(results)).not.toContain('xxxx');
    expect(seen).toEqual([]);
  });

  it('fails without an answer in 10 s', async () => {
    const { socket, clock, results } = start();
    await clock.advanceAsync(5_000);
    socket.open();
    await clock.advanceAsync(9_999);
    expect(results).toEqual([]);
    await clock.advanceAsync(1);
    expect(results).toEqual([{ end: 'failed', error: 'no answer to auth within 10 s' }]);
  });

  it('by token stores the credentials before anything else is looked at', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { socket, seen, commands } = start(token, promise);
    socket.open();
    socket.receive({ type: 'register_ack', payload: { node_id: 'a', node_secret: 'b' } });
    socket.receive({ type: 'command', payload: { command_id: '1', action: { type: 'list_edges' } } });
    await settle();
    expect(seen).toEqual(['registered a b']);
    expect(socket.paused).toBe(true);
    expect(commands).toEqual([]);
    resolve(undefined);
    await settle();
    expect(seen).toEqual(['registered a b', 'authenticated']);
    expect(socket.paused).toBe(false);
    expect(commands).toHaveLength(1);
  });

  it('by token does not wait for a disk for ever', async () => {
    const { socket, clock, results } = start(token, new Promise(() => undefined));
    socket.open();
    socket.receive({ type: 'register_ack', payload: { node_id: 'a', node_secret: 'b' } });
    await clock.advanceAsync(10_000);
    expect(results).toEqual([{ end: 'failed', error: 'credentials were not stored within 10 s' }]);
  });
});

describe('an authenticated connection', () => {
  it('ignores what it does not understand', () => {
    const { socket, results, commands, logger } = online();
    for (const frame of ['{', '[]', 'null', '"x"', '{}', '{"type":7}', '{"type":"future"}', '{"type":"auth_ok"}']) {
      socket.receive(frame);
    }
    expect(results).toEqual([]);
    expect(commands).toEqual([]);
    expect(logger.messages('debug')).toHaveLength(7);
  });

  it('answers ping with pong', () => {
    const { socket } = online();
    socket.receive({ type: 'ping' });
    expect(socket.sent.at(-1)).toMatchObject({ type: 'pong', payload: null });
  });

  it('pings every 15 s and lives while there are pongs', async () => {
    const { socket, clock, results } = online();
    for (let count = 1; count <= 10; count++) {
      await clock.advanceAsync(15_000);
      expect(socket.pings).toHaveLength(count);
      socket.pong('keep-alive');
    }
    expect(results).toEqual([]);
  });

  it('is dropped when nothing has come for 45 s', async () => {
    const { clock, results } = online();
    await clock.advanceAsync(44_999);
    expect(results).toEqual([]);
    await clock.advanceAsync(1);
    expect(results).toEqual([{ end: 'lost', error: 'manager was silent for 45 s' }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is dropped when the manager talks but leaves a ping unanswered for 45 s', async () => {
    const { socket, clock, results } = online();
    for (let second = 0; second < 61; second++) {
      socket.receive({ type: 'ping' });
      await clock.advanceAsync(1_000);
    }
    expect(results).toEqual([{ end: 'lost', error: 'manager was silent for 45 s' }]);
  });

  it('does not take its own pause for silence', async () => {
    const { attempt, clock, socket, results } = online();
    attempt.pauseReading();
    await clock.advanceAsync(120_000);
    expect(results).toEqual([]);
    attempt.resumeReading();
    await clock.advanceAsync(10_000);
    expect(results).toEqual([]);
    expect(socket.paused).toBe(false);
  });

  it('hands on the pongs of its owner only', () => {
    const { attempt, socket, seen } = online();
    attempt.ping('events-3');
    socket.pong('keep-alive');
    socket.pong('events-3');
    expect(seen).toEqual(['authenticated', 'ponged events-3']);
  });

  it('that ends in order is lost without an error, otherwise with it', () => {
    const orderly = online();
    orderly.socket.end(null);
    expect(orderly.results).toEqual([{ end: 'lost', error: null }]);
    const broken = online();
    broken.socket.end('read ECONNRESET');
    expect(broken.results).toEqual([{ end: 'lost', error: 'read ECONNRESET' }]);
  });

  it('takes nothing to send after its end', async () => {
    const { attempt, socket } = online();
    const before = socket.sent.length;
    attempt.close();
    attempt.send('{"type":"health"}');
    attempt.ping('x');
    await settle();
    expect(socket.sent).toHaveLength(before);
    expect(socket.pings).toEqual([]);
  });
});
