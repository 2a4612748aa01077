import { SrtCaller } from '../../../src/media/srt/srt-caller.ts';
import type { CloseReason, SrtConnection } from '../../../src/media/srt/srt-connection.ts';
import { SrtListener, type SrtAdmission } from '../../../src/media/srt/srt-listener.ts';
import type { SrtSettings } from '../../../src/media/srt/srt-settings.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { VirtualPath, type PathQuality } from './virtual-path.ts';

export const srtDefaults: SrtSettings = {
  receiveLatencyMs: 120,
  peerLatencyMs: 0,
  peerIdleTimeoutMs: 5000,
  connectTimeoutMs: 3000,
  passphrase: null,
  keyBytes: null,
  enforcedEncryption: true,
  streamId: null,
  flightWindow: 25_600,
  sendBufferPackets: 8192,
  receiveBufferPackets: 8192,
  sendDropDelayMs: 0,
  lossMaxTtl: 0,
  keyRefreshPackets: 16_777_216,
  keyAnnouncePackets: 4096,
  mss: 1500,
  tooLateDrop: true,
  patientRetransmit: true,
  bandwidth: { kind: 'unlimited' },
  retransmitBytesPerSecond: null,
};

export interface SrtWorldSettings {
  readonly seed?: number;
  readonly path?: Partial<PathQuality>;
  readonly caller?: Partial<SrtSettings>;
  readonly listener?: Partial<SrtSettings>;
  /** How much faster the caller's clock runs, in parts per million. */
  readonly callerPpm?: number;
  readonly startUs?: number;
  readonly admit?: (nowUs: number, admission: SrtAdmission) => number | null;
}

/** Where the listener sees the caller. */
const callerRemote = { address: '192.0.2.1', port: 5000 };

export interface Delivery {
  readonly payload: Buffer;
  readonly nowUs: number;
  readonly dueUs: number;
}

/** One caller and one listener with a virtual path between them, all in virtual time. */
export class SrtWorld {
  readonly random: SeededRandom;
  readonly path: VirtualPath;
  readonly caller: SrtCaller;
  readonly listener: SrtListener;
  readonly delivered: { listener: Delivery[]; caller: Delivery[] } = { listener: [], caller: [] };
  readonly closed: { listener: CloseReason[]; caller: CloseReason[] } = { listener: [], caller: [] };
  readonly refused: number[] = [];
  failed: number | null = null;
  accepted: SrtConnection | null = null;
  nowUs: number;
  /** Called instead of keeping what was delivered, where that would be too much. */
  onDelivered: ((end: 'listener' | 'caller', delivery: Delivery) => void) | null = null;
  readonly #settings: SrtWorldSettings;
  /** Until when the listener's program stands still, and what waits in its socket. */
  #stalledUntilUs = 0;
  #inSocket: Buffer[] = [];

  constructor(settings: SrtWorldSettings = {}) {
    this.#settings = settings;
    this.nowUs = settings.startUs ?? 1_000_000;
    this.random = new SeededRandom(settings.seed ?? 1);
    this.path = new VirtualPath(this.random, { loss: 0, delayUs: 10_000, jitterUs: 0, ...settings.path });
    this.listener = this.#createListener();
    this.caller = this.#createCaller();
  }

  get connection(): SrtConnection {
    if (this.caller.connection === null) throw new Error('not connected');
    return this.caller.connection;
  }

  /** The id that packets for the caller carry, from its first packet on. */
  callerSocketId = 0;

  /** The caller's end of time: its clock may run at another rate. */
  get callerUs(): number {
    return this.nowUs * (1 + (this.#settings.callerPpm ?? 0) / 1e6);
  }

  /** From now on the listener's program stands still for so long; what comes waits in its socket. */
  stallListener(durationUs: number): void {
    this.#stalledUntilUs = this.nowUs + durationUs;
  }

  /** Runs both ends up to `nowUs + durationUs`. */
  run(durationUs: number): void {
    const untilUs = this.nowUs + durationUs;
    const ppm = 1 + (this.#settings.callerPpm ?? 0) / 1e6;
    for (let idle = 0; idle < 100;) {
      const listenerUs = Math.max(this.listener.nextUs, this.#stalledUntilUs);
      const nextUs = Math.min(this.path.nextUs, listenerUs, this.caller.nextUs / ppm);
      if (nextUs > untilUs) break;
      idle = Math.ceil(nextUs) > this.nowUs ? 0 : idle + 1;
      // A microsecond more where the two clocks' rounding says that it is not quite time.
      this.nowUs = Math.max(this.nowUs + (idle > 2 ? 1 : 0), Math.ceil(nextUs));
      this.path.deliver(this.nowUs);
      this.#tickListener();
      this.caller.tick(this.callerUs);
    }
    this.nowUs = Math.max(this.nowUs, untilUs);
  }

  /** After a stall the timers come first, as they may in an event loop. */
  #tickListener(): void {
    if (this.nowUs < this.#stalledUntilUs) return;
    this.listener.tick(this.nowUs);
    for (const packet of this.#inSocket.splice(0)) this.listener.handle(this.nowUs, packet, callerRemote);
  }

  #reachListener(nowUs: number, packet: Buffer): void {
    if (nowUs < this.#stalledUntilUs) this.#inSocket.push(packet);
    else this.listener.handle(nowUs, packet, callerRemote);
  }

  /** Until the caller is connected or has failed. */
  connect(): void {
    for (let step = 0; step < 100 && this.caller.connection === null && this.failed === null; step++) this.run(50_000);
  }

  #createListener(): SrtListener {
    return new SrtListener(
      {
        random: this.random,
        send: (packet) => this.path.send(this.nowUs, packet, (copy) => this.caller.handle(this.callerUs, copy)),
        knows: (id) => (this.#settings.listener?.streamId ?? null) === null || id === this.#settings.listener?.streamId,
        admit: this.#settings.admit ?? (() => null),
        accepted: (connection) => {
          this.accepted = connection;
          return {
            deliver: (payload, dueUs) => this.#deliver('listener', payload, dueUs, this.nowUs),
            closed: (reason) => this.closed.listener.push(reason),
          };
        },
        refused: (_remote, reason) => this.refused.push(reason),
      },
      { ...srtDefaults, ...this.#settings.listener },
    );
  }

  #createCaller(): SrtCaller {
    return new SrtCaller(
      {
        random: this.random,
        send: (packet) => {
          this.callerSocketId = packet.readUInt16BE(0) === 0x8000 ? packet.readUInt32BE(40) : this.callerSocketId;
          this.path.send(this.nowUs, packet, (copy, now) => this.#reachListener(now, copy));
        },
        deliver: (payload, dueUs) => this.#deliver('caller', payload, dueUs, this.callerUs),
        connected: () => undefined,
        failed: (reason) => (this.failed = reason),
        closed: (reason) => this.closed.caller.push(reason),
      },
      { ...srtDefaults, ...this.#settings.caller },
      this.callerUs,
    );
  }

  #deliver(end: 'listener' | 'caller', payload: Buffer, dueUs: number, nowUs: number): void {
    const delivery = { payload, dueUs, nowUs };
    if (this.onDelivered === null) this.delivered[end].push(delivery);
    else this.onDelivered(end, delivery);
  }
}

/** A payload that shows its number; `bytes` long. */
export function numbered(number: number, bytes = 1316): Buffer {
  const payload = Buffer.alloc(bytes, number & 0xff);
  payload.writeUInt32BE(number, 0);
  return payload;
}
