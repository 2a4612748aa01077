import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { LoopPulse } from '../../../src/lib/loop-pulse.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { BeatWatch } from '../../../src/observer/beat-watch.ts';
import type { ObserverSettings } from '../../../src/observer/observer-settings.ts';
import type { ObserverEvent } from '../../../src/observer/slots/observer-event.ts';
import { until } from '../until.ts';

/** A watch for beats with a socket of its own, and every event that it raised. */
export class TestWatch {
  readonly folder: string;
  readonly path: string;
  readonly events: ObserverEvent[] = [];
  readonly watch: BeatWatch;

  private constructor(folder: string, settings: Partial<ObserverSettings>, loopPulse: LoopPulse | null) {
    this.folder = folder;
    this.path = join(folder, 'o.sock');
    this.watch = new BeatWatch(
      {
        clock: new SystemClock(),
        random: new SystemRandom(),
        sink: (event) => void this.events.push(event),
        wantsBeat: () => true,
        hasRoom: () => true,
        evicted: () => undefined,
        looked: () => undefined,
        failed(error) {
          throw error;
        },
        loopPulse,
      },
      { ...observerDefaults(this.path), ...settings },
    );
  }

  static async start(settings: Partial<ObserverSettings> = {}, loopPulse: LoopPulse | null = null): Promise<TestWatch> {
    const watch = new TestWatch(await mkdtemp(join(tmpdir(), 'adit-observer-')), settings, loopPulse);
    await watch.watch.start();
    return watch;
  }

  of<Type extends ObserverEvent['type']>(type: Type): readonly Extract<ObserverEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<ObserverEvent, { type: Type }> => event.type === type);
  }

  /** Waits for so many events of a type and returns them. */
  async count<Type extends ObserverEvent['type']>(type: Type, count: number) {
    await until(() => this.of(type).length >= count);
    return this.of(type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function observerDefaults(path: string): ObserverSettings {
  return {
    thresholdMs: 30_000,
    socket: { path, mode: 0o600, receiveBufferBytes: 1 << 20 },
    udp: null,
    allowedUids: [process.getuid?.() ?? 0],
    capacity: 256,
    evictionPolicy: 'strict',
    evictionScanWindow: 256,
    originPolicy: 'first',
    maxBeatRate: 0,
    globalBeatRate: 0,
    globalBeatBurst: 1,
    clockSource: 'monotonic',
    allowCrossNamespace: false,
    pollIntervalMs: 5,
  };
}
