import type { NativeAddon, NativeBinding } from '../../../src/quic/quinn/addon.ts';

/** A field of an event as native/src/events.rs writes it. */
export type EventField = readonly ['u8' | 'u32' | 'id', number] | readonly ['text', string];

export const fakeRemote = { ip: '127.0.0.1', port: 4433 };
export const remoteFields: readonly EventField[] = [
  ['u32', fakeRemote.port],
  ['text', fakeRemote.ip],
];

function encode([type, value]: EventField): Buffer {
  if (type === 'text') return Buffer.concat([encode(['u32', Buffer.byteLength(value)]), Buffer.from(value)]);
  const bytes = Buffer.alloc({ u8: 1, u32: 4, id: 8 }[type]);
  if (type === 'u8') bytes.writeUInt8(value);
  else if (type === 'u32') bytes.writeUInt32LE(value);
  else bytes.writeDoubleLE(value);
  return bytes;
}

/** Stands in for the Rust library: notes the calls, returns what a test has set, and sends the events of the test. */
export class FakeAddon {
  readonly calls: (readonly [string, ...unknown[]])[] = [];
  /** Answers by method; a function is called with the arguments. Without one the answer is 0. */
  readonly answers = new Map<string, unknown>([
    ['drain', () => this.#drain()],
    ['listen', { id: 7, ip: '127.0.0.1', port: 4433, receiveBuffer: 1000 }],
    ['dial', { connection: 3, localIp: '127.0.0.1', localPort: 9 }],
    ['report', [1, 2, 3]],
    ['stats', []],
  ]);
  readonly addon: NativeAddon;
  #notify: () => void = () => undefined;
  #batch: Buffer[] = [];

  constructor() {
    const begin = (notify: () => void): NativeBinding => {
      this.#notify = notify;
      return this.#binding();
    };
    // A constructor that returns an object gives that object.
    const NativeEngine = function (notify: () => void): NativeBinding {
      return begin(notify);
    } as unknown as NativeAddon['NativeEngine'];
    class NativeLedger {
      readonly dropped = 2;
      readonly bytesOut = 370;
      totals(): number[] {
        return [5, 3, 500, 300, 70, 1, 0, 0, 0, 0, 1, 0];
      }
    }
    class NativeTunnel {
      counts(): number[] {
        return [80, 60, 1];
      }
    }
    this.addon = { NativeEngine, NativeLedger, NativeTunnel };
  }

  /** The calls of a method, without its name. */
  callsOf(method: keyof NativeBinding): unknown[][] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }

  /** Adds an event to the batch that `notify` brings. */
  say(kind: number, ...fields: readonly EventField[]): this {
    this.#batch.push(encode(['u8', kind]), ...fields.map(encode));
    return this;
  }

  notify(): void {
    this.#notify();
  }

  #drain(): Uint8Array {
    return Buffer.concat(this.#batch.splice(0));
  }

  #binding(): NativeBinding {
    return new Proxy({} as NativeBinding, {
      get:
        (_, method: string) =>
        (...args: unknown[]): unknown => {
          this.calls.push([method, ...args]);
          const answer = this.answers.get(method) ?? 0;
          return typeof answer === 'function' ? (answer as (...given: unknown[]) => unknown)(...args) : answer;
        },
    });
  }
}
