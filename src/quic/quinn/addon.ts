import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../lib/app-error.ts';
import type { PeerVerification } from '../peer-verification.ts';
import type { TransportSettings } from '../transport-settings.ts';
import { boundaryDigest } from './boundary-digest.ts';

/** What `native/src/boundary` exports. Ids are exact numbers; a call on what has ended does nothing. */
export interface NativeAddon {
  readonly NativeEngine: new (notify: () => void) => NativeBinding;
  readonly NativeLedger: new () => NativeLedgerBinding;
  readonly NativeTunnel: new (key: Uint8Array, localResetCode: number, notAuthenticCode: number) => NativeTunnelBinding;
}

/** What the local sockets of one tunnel share. */
export interface NativeTunnelBinding {
  /** The fields of `LocalCounts` in their order. */
  counts(): number[];
}

export interface NativeLocalListening {
  readonly id: number;
  readonly port: number;
}

export interface NativeLedgerBinding {
  /** Datagrams in, out, payload bytes in, out, stream bytes, then drops in the order of `dropReasons`. */
  totals(): number[];
  readonly dropped: number;
  readonly bytesOut: number;
}

export interface NativeListenOptions {
  readonly ip: string;
  readonly port: number;
  readonly certificate: string;
  readonly privateKey: string;
  readonly transport: TransportSettings;
  readonly resetKey: Uint8Array;
  readonly retryAfterHandshakesPerSec: number;
}

export interface NativeDialOptions {
  readonly ip: string;
  readonly port: number;
  readonly serverName: string;
  readonly transport: TransportSettings;
  /** Its kind; the fields of that kind lie beside it. */
  readonly verify: PeerVerification['kind'];
  readonly caPem?: string;
  readonly host?: string;
  readonly sha256?: string;
}

export interface NativeListening {
  readonly id: number;
  readonly ip: string;
  readonly port: number;
  readonly receiveBuffer?: number;
  readonly sendBuffer?: number;
}

export interface NativeDialling {
  readonly connection: number;
  readonly localIp: string;
  readonly localPort: number;
}

/** Errors are thrown with an AppErrorCode as `code`. */
export interface NativeBinding {
  /**
   * The events of the batch that `notify` announced (event-batch.ts reads them). Calls take effect together when
   * `answered` follows.
   */
  drain(): Uint8Array;
  answered(): void;
  listen(options: NativeListenOptions): NativeListening;
  setTls(listener: number, certificate: string, privateKey: string): void;
  stopAccepting(listener: number): void;
  closeListener(listener: number, reason: string): void;
  /** 0 accept, 1 retry, 2 refuse, 3 ignore. */
  answer(listener: number, attempt: number, decision: number): void;
  dial(options: NativeDialOptions): NativeDialling;
  /** -1: the peer grants none now. */
  openStream(connection: number, bidirectional: boolean): number;
  /** Bytes, or -1 nothing now, -2 finished, otherwise the code of a reset. */
  read(connection: number, stream: number, max: number): Uint8Array | number;
  write(connection: number, stream: number, bytes: Uint8Array): boolean;
  queuedBytes(connection: number, stream: number): number;
  finish(connection: number, stream: number): void;
  reset(connection: number, stream: number, code: number): void;
  stop(connection: number, stream: number, code: number): void;
  splice(
    connection: number,
    stream: number,
    otherConnection: number,
    otherStream: number,
    forward: NativeLedgerBinding,
    backward: NativeLedgerBinding,
    lostCode: number,
  ): number;
  abortSplice(splice: number, code: number): void;
  /** 0 queued, 1 too large, 2 the oldest went for it, 3 closed. */
  sendDatagram(connection: number, payload: Uint8Array, ledger: NativeLedgerBinding | null): number;
  /** A target below 0 drops under reason number `reason`. The answer is what `withdrawRoute` takes. */
  setRoute(connection: number, prefix: Uint8Array, target: number, reason: number, ledger: NativeLedgerBinding): number;
  withdrawRoute(connection: number, prefix: Uint8Array, token: number): void;
  listenTcp(ip: string, port: number): NativeLocalListening;
  closeLocal(listener: number): void;
  /** The socket's id; `localConnected` or `localFailed` follows, unless it is aborted. */
  connectTcp(ip: string, port: number): number;
  /** `localEnded` follows. */
  joinTcp(socket: number, connection: number, stream: number, tunnel: NativeTunnelBinding): void;
  abortTcp(socket: number, code: number): void;
  /** A leg without a socket. */
  addUdp(tunnel: NativeTunnelBinding, prefix: Uint8Array, ledger: NativeLedgerBinding): number;
  /** The port taken. */
  openUdp(leg: number, ip: string, port: number, connected: boolean): number;
  closeUdp(leg: number): void;
  removeUdp(leg: number): void;
  /** A connection below 0: none. */
  sendUdpOver(leg: number, connection: number): void;
  receiveUdpFrom(leg: number, connection: number): void;
  /** -1 when the connection has ended. */
  localSends(connection: number): number;
  markProven(connection: number): void;
  /** Infinity when the connection has ended. */
  silentMs(connection: number): number;
  ping(connection: number): void;
  /** Empty when the connection has ended; NaN for what is unknown. */
  stats(connection: number): number[];
  close(connection: number, code: number, reason: string): void;
  /** The `closed` event was handled: nothing will be read from it any more. */
  forget(connection: number): void;
  /** EngineCounters in their order, then live connections and the bytes estimated for them. */
  report(): number[];
  /** Nothing may follow. */
  shutdown(): void;
}

const require = createRequire(import.meta.url);
const builtAddon = fileURLToPath(new URL('../../../native/adit-native.node', import.meta.url));

/** Where the library may be: built here, or shipped in `native/npm` and linked by npm for this platform. */
export interface AddonPlaces {
  readonly built: string;
  /** Null where none is shipped for this platform, or where npm left it out. */
  readonly shipped: string | null;
}

/** The package of this platform, named as napi-rs names them: `@adit/native-linux-x64-gnu`. */
export function shippedPackage(platform = process.platform, cpu = process.arch, musl = usesMusl()): string {
  const libc = platform === 'linux' ? (musl ? '-musl' : '-gnu') : '';
  return `@adit/native-${platform}-${cpu}${libc}`;
}

/** Node's report names the version of glibc only where the process runs on it. */
function usesMusl(): boolean {
  const report = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

function shippedAddon(): string | null {
  try {
    return require.resolve(shippedPackage());
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/**
 * Takes the library that was built here, else the shipped one. Throws AppError `engine-unavailable` when neither is
 * there, `engine-unusable` when each was built for another machine or from other sources: those would crash at run
 * time.
 */
export function loadAddon(places: AddonPlaces = { built: builtAddon, shipped: shippedAddon() }): NativeAddon {
  const there = [places.built, places.shipped].filter((path) => path !== null && existsSync(path));
  if (there.length === 0) {
    throw new AppError('engine-unavailable', 'the native engine is not built: run npm run build:native');
  }
  const failures: unknown[] = [];
  for (const path of there as readonly string[]) {
    try {
      return requireAddon(path);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

function requireAddon(path: string): NativeAddon {
  let addon: NativeAddon & { readonly BOUNDARY?: string };
  try {
    addon = require(path) as NativeAddon;
  } catch (cause) {
    throw new AppError('engine-unusable', `${path} does not load here: run npm run build:native`, { cause });
  }
  if (addon.BOUNDARY !== boundaryDigest) {
    throw new AppError('engine-unusable', `${path} was built from other sources than these: run npm run build:native`);
  }
  return addon;
}
