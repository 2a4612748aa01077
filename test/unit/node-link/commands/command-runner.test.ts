import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/lib/app-error.ts';
import { CommandRunner } from '../../../../src/node-link/commands/command-runner.ts';
import type { Execution, NodeProgram } from '../../../../src/node-link/node-program.ts';
import type { CommandAction } from '../../../../src/protocol/node/node-command.ts';
import { parseManagerMessage } from '../../../../src/protocol/node/node-message.ts';
import { ManualClock, settle } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

interface Sent {
  type: string;
  payload: Record<string, unknown>;
}

class Manager {
  readonly sent: Sent[] = [];
  pauses = 0;
  paused = false;

  send(frame: string): void {
    this.sent.push(JSON.parse(frame) as Sent);
  }

  pauseReading(): void {
    if (!this.paused) this.pauses++;
    this.paused = true;
  }

  resumeReading(): void {
    this.paused = false;
  }
}

function start(
  execute: NodeProgram['execute'] = (action) => ({ outcome: { success: true, data: action.type } }),
  visibleConfig: () => Promise<unknown> = async () => ({ shown: true }),
) {
  const clock = new ManualClock();
  const manager = new Manager();
  const executed: string[] = [];
  const logger = new RecordingLogger();
  const runner = new CommandRunner({
    clock,
    logger,
    program: {
      execute: (action) => {
        executed.push(action.type);
        return execute(action);
      },
    },
    rotateSecret: async (secret) => ({ success: true, data: secret.length }),
    visibleConfig,
  });
  runner.attach(manager);
  const order = (payload: unknown) => {
    const frame = JSON.stringify({ type: 'command', payload });
    const parsed = parseManagerMessage(frame);
    if (parsed.kind !== 'message' || parsed.message.type !== 'command') throw new Error('not a command');
    runner.accept(parsed.message, frame.length);
  };
  const acks = () => manager.sent.filter(({ type }) => type === 'command_ack').map(({ payload }) => payload);
  return { clock, manager, executed, logger, runner, order, acks };
}

async function settleAll(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await settle();
}

const command = (id: string, type: string) => ({ command_id: id, action: { type } });

describe('commands', () => {
  it('are executed in order and acknowledged once each, in order', async () => {
    const { order, acks, executed } = start();
    for (let index = 0; index < 50; index++) order(command(`c${index}`, `t${index}`));
    await settleAll();
    expect(executed).toEqual(Array.from({ length: 50 }, (_, index) => `t${index}`));
    expect(acks().map((ack) => ack['command_id'])).toEqual(Array.from({ length: 50 }, (_, index) => `c${index}`));
  });

  it('wait for one that takes its time to execute', async () => {
    const { promise, resolve } = Promise.withResolvers<Execution>();
    const { order, acks, executed } = start((action) =>
      action.type === 'slow' ? promise : { outcome: { success: true } },
    );
    order(command('1', 'slow'));
    order(command('2', 'fast'));
    await settleAll();
    expect(executed).toEqual(['slow']);
    resolve({ outcome: { success: true } });
    await settleAll();
    expect(acks().map((ack) => ack['command_id'])).toEqual(['1', '2']);
  });

  it('go on while an ack waits for the disk, and acks keep their order', async () => {
    const { promise, resolve } = Promise.withResolvers<{ success: true }>();
    const { order, acks, executed } = start((action) => ({
      outcome: action.type === 'store' ? promise : { success: true },
    }));
    order(command('1', 'store'));
    order(command('2', 'fast'));
    await settleAll();
    expect(executed).toEqual(['store', 'fast']);
    expect(acks()).toEqual([]);
    resolve({ success: true });
    await settleAll();
    expect(acks().map((ack) => ack['command_id'])).toEqual(['1', '2']);
  });

  it('with a known id are answered from memory, also when the first is not finished or came over another connection', async () => {
    const { promise, resolve } = Promise.withResolvers<{ success: true; data: string }>();
    const { order, acks, executed, runner, manager } = start(() => ({ outcome: promise }));
    order(command('1', 'authorize'));
    order(command('1', 'authorize'));
    await settleAll();
    resolve({ success: true, data: 'once' });
    await settleAll();
    runner.detach();
    runner.attach(manager);
    order(command('1', 'authorize'));
    await settleAll();
    expect(executed).toEqual(['authorize']);
    expect(acks()).toEqual(Array(3).fill({ command_id: '1', success: true, data: 'once' }));
  });

  it('are forgotten after 10 minutes or 1000 others', async () => {
    const { clock, order, executed } = start();
    order(command('1', 'a'));
    await settleAll();
    clock.advance(10 * 60_000);
    order(command('1', 'a'));
    await settleAll();
    expect(executed).toHaveLength(2);
    for (let index = 0; index < 1_000; index++) order(command(`other ${index}`, 'b'));
    await settleAll();
    order(command('1', 'a'));
    await settleAll();
    expect(executed.filter((type) => type === 'a')).toHaveLength(3);
  });

  it('without an id are answered as unknown and never taken for repeats', async () => {
    const { order, acks, executed } = start();
    order({ action: { type: 'list_edges' } });
    order({ command_id: 7, action: { type: 'list_edges' } });
    await settleAll();
    expect(executed).toHaveLength(2);
    expect(acks().map((ack) => ack['command_id'])).toEqual(['unknown', 'unknown']);
  });

  it.each([[{ command_id: 'x' }], [{ command_id: 'x', action: 'y' }], [{ command_id: 'x', action: { no: 'type' } }]])(
    'without an action are acknowledged: %j',
    async (payload) => {
      const { order, acks } = start();
      order(payload);
      await settleAll();
      expect(acks()).toMatchObject([{ command_id: 'x', success: false, error: 'Missing action' }]);
    },
  );

  it('that hang are acknowledged after 10 s, and the next one runs', async () => {
    const { clock, order, acks } = start((action: CommandAction) =>
      action.type === 'hang' ? new Promise<Execution>(() => undefined) : { outcome: { success: true } },
    );
    order(command('1', 'hang'));
    order(command('2', 'next'));
    await settleAll();
    await clock.advanceAsync(10_000);
    await settleAll();
    expect(acks()).toMatchObject([
      { command_id: '1', success: false, error: 'Command failed: not done within 10 s', error_code: 'internal_error' },
      { command_id: '2', success: true },
    ]);
  });

  it('that take long to execute have less time for the disk', async () => {
    const executed = Promise.withResolvers<Execution>();
    const { clock, order, acks } = start(() => executed.promise);
    order(command('1', 'slow'));
    await settleAll();
    await clock.advanceAsync(6_000);
    executed.resolve({ outcome: new Promise(() => undefined) });
    await settleAll();
    await clock.advanceAsync(4_000);
    await settleAll();
    expect(acks()).toMatchObject([{ command_id: '1', error: 'Command failed: not done within 10 s' }]);
  });

  it('that break or cannot be stored are acknowledged as failed', async () => {
    const { order, acks, logger } = start((action) => {
      if (action.type === 'break') throw new Error('a bug');
      return { outcome: Promise.reject(new AppError('io-failed', 'could not write /state')) };
    });
    order(command('1', 'break'));
    order(command('2', 'store'));
    await settleAll();
    expect(acks()).toMatchObject([
      { success: false, error: 'Command failed: a bug', error_code: 'internal_error' },
      { success: false, error: 'Command failed: could not write /state', error_code: 'persistence_failed' },
    ]);
    expect(logger.messages('error')).toEqual(['command failed', 'command failed']);
  });

  it('hold the manager up when there are too many at once, until half are done', async () => {
    const { order, acks, manager } = start();
    for (let index = 0; index < 10_000; index++) order(command(`c${index}`, 'list_edges'));
    expect(manager.paused).toBe(true);
    for (let turn = 0; turn < 1_000 && acks().length < 10_000; turn++) await settle();
    expect(acks()).toHaveLength(10_000);
    expect(manager.paused).toBe(false);
    expect(manager.pauses).toBe(1);
  });

  it('whose answer is too large for a frame say so', async () => {
    const { order, acks } = start(() => ({ outcome: { success: true, data: 'x'.repeat(6 * 1024 * 1024) } }));
    order(command('1', 'list_tunnels'));
    await settleAll();
    expect(acks()).toMatchObject([{ success: false, error: expect.stringContaining('Answer too large') as string }]);
  });
});

describe('the commands of every node', () => {
  it('get_config is one config_response and no ack', async () => {
    const { order, manager, executed } = start();
    order(command('1', 'get_config'));
    await settleAll();
    expect(manager.sent).toMatchObject([{ type: 'config_response', payload: { shown: true } }]);
    expect(executed).toEqual([]);
  });

  it('get_config that cannot be answered within 3 s is acknowledged as failed', async () => {
    const { clock, order, acks } = start(undefined, () => new Promise(() => undefined));
    order(command('1', 'get_config'));
    await settleAll();
    await clock.advanceAsync(3_000);
    await settleAll();
    expect(acks()).toMatchObject([{ command_id: '1', error: 'Config could not be read: not done within 3 s' }]);
  });

  it.each([
    [{}, 'Missing new_secret'],
    [{ new_secret: null }, 'Missing new_secret'],
    [{ new_secret: 7 }, 'Missing new_secret'],
    [{ new_secret: '' }, 'Empty new_secret'],
    [{ new_secret: 'x'.repeat(1024 * 1024) }, 'new_secret is longer than 4096 characters'],
  ])('rotate_secret refuses %#', async (fields, error) => {
    const { order, acks } = start();
    order({ command_id: '1', action: { type: 'rotate_secret', ...fields } });
    await settleAll();
    expect(acks()).toMatchObject([{ success: false, error }]);
  });

  it('rotate_secret hands the secret on', async () => {
    const { order, acks } = start();
    order({ command_id: '1', action: { type: 'rotate_secret', new_secret: 'abc' } });
    await settleAll();
    expect(acks()).toEqual([{ command_id: '1', success: true, data: 3 }]);
  });
});
