import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChildProgram } from '../../src/cli/demo/child-program.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { TestManager } from '../support/peers/test-manager.ts';
import { canHaveSmallDisk, fill, insideOf, withSmallDisk } from '../support/programs/small-disk.ts';
import { until } from '../support/until.ts';

const secret = 'secret of the relay';

/** A relay with a manager, whose state and structured log are on a small disk of its own. */
class World implements AsyncDisposable {
  readonly manager: TestManager;
  readonly relay: ChildProgram;
  readonly disk: string;

  private constructor(manager: TestManager, relay: ChildProgram, disk: string) {
    this.manager = manager;
    this.relay = relay;
    this.disk = disk;
  }

  static async start(): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'adit-full-disk-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const manager = await TestManager.start();
    manager.secrets.set('relay', new Set([secret]));
    const target = { kind: 'file', path: join(disk, 'events.json'), max_size_mb: 1, max_backups: 1, format: 'raw' };
    const config = {
      quic_addrs: ['127.0.0.1:0'],
      api_addrs: ['127.0.0.1:0'],
      state_dir: join(disk, 'state'),
      manager: manager.configFor({ node_id: 'relay', node_secret: secret }),
      logging: { json_target: target },
    };
    const path = join(folder, 'relay.json');
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    const relay = new ChildProgram('relay', ['relay', '-c', path], new SystemClock(), withSmallDisk(disk));
    const world = new World(manager, relay, disk);
    onTestFinished(() => world[Symbol.asyncDispose]());
    await manager.nodeOnline();
    return world;
  }

  inside(name: string): string {
    return insideOf(this.relay.pid, join(this.disk, name));
  }

  /** The relay raises two events: its manager is lost, and is there again. */
  async loseManager(): Promise<void> {
    const before = this.connectedEvents();
    this.manager.dropAll();
    await until(() => this.connectedEvents() > before);
  }

  connectedEvents(): number {
    return this.manager.distinctEvents.filter(({ payload }) => payload.message === 'Connected to manager').length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
    await this.manager[Symbol.asyncDispose]();
  }
}

describe.runIf(canHaveSmallDisk())('a relay whose disk is full', () => {
  it('loses no event for its manager, and goes on in journal and log once there is room', async () => {
    await using world = await World.start();
    const { relay } = world;
    let losses = 0;
    const loseManager = (): Promise<void> => {
      losses += 1;
      return world.loseManager();
    };
    await loseManager();
    fill(world.inside('ballast'));
    const full: string[] = [];
    const both = ['event journal cannot be written', 'structured log cannot be written'].map(async (line) => {
      await relay.line(line);
      full.push(line);
    });
    // The last page of each file still takes some lines.
    while (full.length < both.length) await loseManager();
    await Promise.all(both);
    const works = ['event journal works again', 'structured log goes on'].map((line) => relay.line(line));
    rmSync(world.inside('ballast'));
    await loseManager();
    await Promise.all(works);
    const lost = world.manager.distinctEvents.filter(({ payload }) =>
      payload.message.startsWith('Manager connection lost'),
    );
    expect(lost).toHaveLength(losses);
    await until(() => readFileSync(world.inside('events.json'), 'utf8').endsWith('}\n'));
    const lines = readFileSync(world.inside('events.json'), 'utf8').trimEnd().split('\n');
    expect(() => lines.map((line): unknown => JSON.parse(line))).not.toThrow();
  }, 300_000);

  it('has journal and log under their names again when somebody moved them', async () => {
    await using world = await World.start();
    await world.loseManager();
    const made = world.relay.line('event journal files made anew');
    renameSync(world.inside('state/events'), world.inside('moved-events'));
    renameSync(world.inside('events.json'), world.inside('moved.json'));
    await made;
    await world.loseManager();
    await until(() => readFileSync(world.inside('events.json'), 'utf8').includes('Connected to manager'));
    expect(readFileSync(world.inside('moved.json'), 'utf8')).toContain('Connected to manager');
  });
});
