import { afterAll, describe, expect, it } from 'vitest';
import { ConfigFile } from '../../../../src/config/config-file.ts';
import { CredentialKeeper } from '../../../../src/node-link/credentials/credential-keeper.ts';
import { CredentialStore } from '../../../../src/node-link/credentials/credential-store.ts';
import { candidateSecrets } from '../../../../src/node-link/credentials/credentials.ts';
import { ReconnectPlan } from '../../../../src/node-link/link/reconnect-plan.ts';
import type { LinkEvent } from '../../../../src/protocol/node/link-event.ts';
import { Crash, MemoryFileSystem, type Fault } from '../../../support/fakes/memory-file-system.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const path = '/etc/adit/config.json';
const config = '{\n  "manager": {\n    "node_id": "n",\n    "node_secret": "s0"\n  },\n  "api_token": "keep"\n}\n';
const faults: readonly Fault[] = ['error', 'error from here on', 'crash before', 'crash after'];
const maxRotations = 3;

/** A node's credentials over files that may fail. */
class Node {
  readonly events: LinkEvent[] = [];
  readonly clock = new ManualClock();
  readonly files: MemoryFileSystem;
  readonly keeper: CredentialKeeper;

  private constructor(files: MemoryFileSystem) {
    this.files = files;
    const store = new CredentialStore(new ConfigFile(files, path), null);
    const emit = (event: LinkEvent) => void this.events.push(event);
    this.keeper = new CredentialKeeper({ clock: this.clock, store, logger: new RecordingLogger(), emit });
  }

  static async start(files: MemoryFileSystem): Promise<Node> {
    const node = new Node(files);
    await node.keeper.load();
    return node;
  }

  get secrets(): readonly string[] {
    const { credentials } = this.keeper;
    return credentials === null ? [] : candidateSecrets(credentials);
  }

  /** Rotates on one socket; answers which rotations the manager was told have succeeded. */
  async rotate(count: number): Promise<string[]> {
    const acknowledged: string[] = [];
    for (let index = 1; index <= count; index++) {
      const { success } = await this.keeper.rotate(`s${index}`);
      // A dead process acknowledges nothing.
      if (this.files.crashed) break;
      if (success) acknowledged.push(`s${index}`);
    }
    return acknowledged;
  }

  /** Reconnects as the link does to a manager that knows this one secret. */
  async reconnect(accepted: string): Promise<void> {
    const plan = new ReconnectPlan(new SeededRandom(), 1);
    for (let attempts = 0; attempts < 20; attempts++) {
      const secret = this.secrets[plan.current().secretIndex];
      if (secret === accepted) {
        plan.accepted();
        await this.keeper.confirmed(secret);
        return;
      }
      plan.next('refused', this.secrets.length);
    }
    throw new Error(`stranded: the manager knows ${accepted}, the node ${this.secrets.join()}`);
  }
}

function freshFiles(at?: number, fault?: Fault): MemoryFileSystem {
  const files = new MemoryFileSystem({ [path]: config });
  if (at !== undefined && fault !== undefined) files.failAt(at, fault);
  return files;
}

function storedSecrets(files: MemoryFileSystem): string[] {
  const { api_token: token, manager } = JSON.parse(files.text(path)) as {
    api_token: string;
    manager: { node_secret: string; previous_node_secrets?: string[] };
  };
  expect(token, 'what is not ours in the file').toBe('keep');
  return [manager.node_secret, ...(manager.previous_node_secrets ?? [])];
}

const counted = { rotation: 0, confirmation: 0 };
afterAll(() => {
  const { rotation, confirmation } = counted;
  process.stdout.write(
    `rotation under fault injection: ${rotation} cases during rotation, ${confirmation} during confirmation\n`,
  );
});

describe.each(Array.from({ length: maxRotations }, (_, index) => index + 1))(
  'with %i rotations on one socket',
  (count) => {
    /**
     * A manager may have committed any rotation that was acknowledged as a success, or none of them. It may also have
     * committed the one whose ack was lost in a crash, if the node had stored it.
     */
    it.each(faults)('L5 %s at any file step never strands the node', async (fault) => {
      const unhindered = await Node.start(freshFiles());
      await unhindered.rotate(count);
      for (const at of unhindered.files.steps.keys()) {
        const trial = await Node.start(freshFiles(at, fault));
        const acknowledged = await trial.rotate(count);
        const stored = storedSecrets(trial.files);
        const lostAck = trial.files.crashed ? stored.slice(0, 1) : [];
        for (const accepted of new Set(['s0', ...acknowledged, ...lostAck])) {
          await checkRotation(count, at, fault, accepted);
          counted.rotation++;
        }
      }
    });
  },
);

async function checkRotation(count: number, at: number, fault: Fault, accepted: string): Promise<void> {
  const node = await Node.start(freshFiles(at, fault));
  const acknowledged = await node.rotate(count);
  const where = JSON.stringify({ count, fault, at, step: node.files.steps[at], accepted });
  const restarted = await Node.start(node.files.afterRestart());
  await restarted.reconnect(accepted);
  expect(storedSecrets(restarted.files), where).toEqual([accepted]);
  if (node.files.crashed) return;
  const rotatedEvents = node.events.filter((event) => event.kind === 'secret-rotated');
  expect(rotatedEvents, where).toHaveLength(acknowledged.length);
  await node.reconnect(accepted);
  expect(node.secrets, where).toEqual([accepted]);
}

describe('with a fault while the accepted secret is made the only one', () => {
  it.each(faults)('L5 %s at any file step never strands the node', async (fault) => {
    for (const accepted of Array.from({ length: maxRotations + 1 }, (_, index) => `s${index}`)) {
      const unhindered = await Node.start(freshFiles());
      await unhindered.rotate(maxRotations);
      const begun = unhindered.files.steps.length;
      await unhindered.reconnect(accepted);
      for (let at = begun; at < unhindered.files.steps.length; at++) {
        const node = await Node.start(freshFiles(at, fault));
        await node.rotate(maxRotations);
        await node.reconnect(accepted);
        const restarted = await Node.start(node.files.afterRestart());
        await restarted.reconnect(accepted);
        counted.confirmation++;
      }
    }
  });
});

describe('a rotation that cannot be stored', () => {
  it('is one event, fails its ack, and leaves the old secret in force on disk and in memory', async () => {
    const node = await Node.start(freshFiles(0, 'error from here on'));
    expect(await node.keeper.rotate('s1')).toEqual({
      success: false,
      error: `Credential persistence failed: could not write ${path}: open failed`,
      error_code: 'persistence_failed',
    });
    expect(node.secrets).toEqual(['s0']);
    expect(storedSecrets(node.files)).toEqual(['s0']);
    expect(node.events).toEqual([
      { kind: 'credential-persistence-failed', error: `could not write ${path}: open failed` },
    ]);
  });

  it('is undone on disk when only the last step failed', async () => {
    const steps = await Node.start(freshFiles());
    await steps.rotate(1);
    const at = steps.files.steps.indexOf('directory sync');
    const node = await Node.start(freshFiles(at, 'error'));
    expect((await node.keeper.rotate('s1')).success).toBe(false);
    expect(storedSecrets(node.files)).toEqual(['s0']);
    expect(node.keeper.problem).toBeNull();
  });
});

describe('a registration that cannot be stored', () => {
  it('is kept in memory and tried again until it is stored, with one event', async () => {
    const node = await Node.start(freshFiles(0, 'error from here on'));
    await node.keeper.registered('n-2', 'fresh');
    expect(node.secrets).toEqual(['fresh']);
    await node.clock.advanceAsync(20_000);
    expect(node.keeper.problem).not.toBeNull();
    expect(node.events).toHaveLength(1);
    node.files.failAt(0, 'error');
    await node.clock.advanceAsync(5_000);
    expect(storedSecrets(node.files)).toEqual(['fresh']);
    expect(node.keeper.problem).toBeNull();
  });
});

describe('the file system of these tests', () => {
  it('is dead after a crash', async () => {
    const files = freshFiles(0, 'crash before');
    await expect(files.open('/x', 'wx')).rejects.toThrow(Crash);
    await expect(files.rename('/x', '/y')).rejects.toThrow(Crash);
  });
});
