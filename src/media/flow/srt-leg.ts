import type { LookupAddress } from 'node:dns';
import { isIPv6 } from 'node:net';
import { errorMessage } from '../../lib/app-error.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import type { Random } from '../../lib/random.ts';
import type { DatagramObserver, DatagramSocket } from '../net/datagram-socket.ts';
import { tunnelRemote } from '../net/tunnel-socket.ts';
import { describeReject, rejectReason } from '../srt/reject-reason.ts';
import { SrtCaller } from '../srt/srt-caller.ts';
import type { CloseReason, SrtConnection } from '../srt/srt-connection.ts';
import { SrtListener, type SrtRemote } from '../srt/srt-listener.ts';
import type { FlowPartDependencies } from './flow-part.ts';
import type { SrtLegSettings } from './flow-settings.ts';
import type { Pulse } from './pulse.ts';

export interface SrtLegDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly pulse: Pulse;
  /** Opens the leg's socket, or its way through a tunnel. Rejects with AppError `address-unavailable`. */
  readonly open: (leg: SrtLegSettings, observer: DatagramObserver) => Promise<DatagramSocket>;
  /** Rejects when the name is unknown. */
  readonly resolve: (host: string) => Promise<LookupAddress>;
  readonly observer: SrtLegObserver;
}

export interface SrtLegObserver {
  deliver(payload: Buffer, dueUs: number, connection: SrtConnection): void;
  connected(connection: SrtConnection, remote: string, cycle: { attempts: number; downSecs: number }): void;
  disconnected(connection: SrtConnection, remote: string, reason: CloseReason): void;
  /** The first failure of a cycle; of a listener, at most one a minute for an address. */
  failed(error: string, remote: string, attempts: number): void;
  /** The socket died and could not be had again. */
  lost(error: string): void;
}

export interface SrtLegLimits {
  readonly maxConnections: number;
  /** A newcomer may take the place of a connection that has been silent for so long; null never. */
  readonly takeoverUs: number | null;
}

const retry = { initialMs: 500, maxMs: 30_000, jitterRatio: 0.1 };
/** 10 ms of the usual 120. */
const patientShare = 1 / 12;
const refusalQuietUs = 60_000_000;
const mostRefusals = 1000;
/** Refusals that raise no event. */
const refusalWords: ReadonlyMap<number, string> = new Map([
  [rejectReason.peer, 'another publisher is live'],
  [rejectReason.forbidden, "its stream id is not this end's stream_id"],
]);

/** One SRT socket of a flow: dials or listens, and dials again after every end. */
export class SrtLeg {
  readonly #dependencies: SrtLegDependencies;
  readonly #settings: SrtLegSettings;
  readonly #limits: SrtLegLimits;
  readonly #retry: Backoff;
  readonly #remotes = new Map<SrtConnection, string>();
  readonly #refusedUs = new Map<string, number>();
  #connections: readonly SrtConnection[] = [];
  #socket: DatagramSocket | null = null;
  #machine: SrtCaller | SrtListener | null = null;
  #remote: HostPort | null = null;
  #timer: Timer | null = null;
  /** Callers that were not let in, and why the latest one was not; null once one was. */
  refused = 0;
  lastProblem: string | null = null;
  #attempts = 0;
  #downSinceUs: number | null = null;
  #stopped = false;

  constructor(dependencies: SrtLegDependencies, settings: SrtLegSettings, limits: SrtLegLimits) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#limits = limits;
    this.#retry = new Backoff(dependencies.random, retry);
  }

  get connections(): readonly SrtConnection[] {
    return this.#connections;
  }

  /** A small part of the time that packets are held back anyway. */
  get patienceMs(): number {
    const { receiveLatencyMs, peerLatencyMs } = this.#settings.srt;
    return Math.min(receiveLatencyMs, peerLatencyMs) * patientShare;
  }

  get localAddress(): string | null {
    return this.#socket?.localAddress ?? null;
  }

  remoteOf(connection: SrtConnection): string {
    return this.#remotes.get(connection) ?? '';
  }

  /** Opens the socket; dialling goes on in the background. Rejects with AppError `address-unavailable`. */
  async start(): Promise<void> {
    this.#socket = await this.#dependencies.open(this.#settings, {
      onMessage: (packet, address, port) => this.#onMessage(packet, address, port),
      onError: (error) => this.#dependencies.observer.lost(errorMessage(error)),
    });
    if (this.#settings.mode === 'listener') this.#listen();
    else void this.#dial();
  }

  /** Idempotent. Nothing is reported from here on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    const { pulse } = this.#dependencies;
    if (this.#machine !== null) {
      this.#machine.close(pulse.nowUs);
      pulse.remove(this.#machine);
    }
    await this.#socket?.close();
  }

  /** Sends to every connection of the leg. Returns how many took it. */
  write(nowUs: number, payload: Uint8Array, originUs: number): number {
    let taken = 0;
    for (const connection of this.#connections) if (connection.write(nowUs, payload, originUs)) taken++;
    if (this.#machine !== null) this.#dependencies.pulse.poke(this.#machine.nextUs);
    return taken;
  }

  #onMessage(packet: Buffer, address: string, port: number): void {
    const { pulse } = this.#dependencies;
    const { nowUs } = pulse;
    const machine = this.#machine;
    if (machine === null) return;
    if (machine instanceof SrtListener) machine.handle(nowUs, packet, { address, port });
    else if (address === this.#remote?.host && port === this.#remote.port) machine.handle(nowUs, packet);
    pulse.poke(machine.nextUs);
  }

  #listen(): void {
    const { random, pulse } = this.#dependencies;
    const { srt } = this.#settings;
    const listener = new SrtListener(
      {
        random,
        send: (packet, remote) => this.#socket?.send(packet, remote.port, remote.address),
        knows: (id) => srt.streamId === null || id === srt.streamId,
        admit: (nowUs) => this.#admit(nowUs),
        accepted: (connection, { remote }) => {
          this.#onConnected(connection, nameOf(remote));
          return {
            deliver: (payload, dueUs) => this.#dependencies.observer.deliver(payload, dueUs, connection),
            closed: (reason) => this.#onClosed(connection, reason),
          };
        },
        refused: (remote, reason) => this.#onRefused(remote, reason),
      },
      srt,
    );
    this.#machine = listener;
    pulse.add(listener);
  }

  /** Makes room for a newcomer where it may. */
  #admit(nowUs: number): number | null {
    const { maxConnections, takeoverUs } = this.#limits;
    if (this.#connections.length < maxConnections) return null;
    const silent = this.#connections.find(({ heardUs }) => takeoverUs !== null && nowUs - heardUs >= takeoverUs);
    if (silent === undefined) return rejectReason.peer;
    silent.close(nowUs);
    return null;
  }

  #onRefused(remote: SrtRemote, reason: number): void {
    const { pulse, observer } = this.#dependencies;
    this.refused++;
    this.lastProblem = refusalWords.get(reason) ?? describeReject(reason);
    // Anybody may try a stream id, and a restarted encoder may come before its predecessor has gone.
    if (refusalWords.has(reason)) return;
    const last = this.#refusedUs.get(remote.address) ?? Number.NEGATIVE_INFINITY;
    if (pulse.nowUs - last < refusalQuietUs) return;
    if (this.#refusedUs.size >= mostRefusals) this.#refusedUs.clear();
    this.#refusedUs.set(remote.address, pulse.nowUs);
    observer.failed(describeReject(reason), nameOf(remote), 1);
  }

  async #dial(): Promise<void> {
    const { resolve } = this.#dependencies;
    const { remoteAddr } = this.#settings;
    const target = remoteAddr ?? tunnelRemote;
    let remote: HostPort;
    try {
      remote = { host: (await resolve(target.host)).address, port: target.port };
    } catch (error) {
      this.#onAttemptFailed(`cannot resolve ${target.host}: ${errorMessage(error)}`);
      return;
    }
    if (!this.#stopped) this.#call(remote);
  }

  #call(remote: HostPort): void {
    const { random, pulse, observer } = this.#dependencies;
    this.#remote = remote;
    const name = this.#remoteName();
    let connection: SrtConnection | null = null;
    const caller = new SrtCaller(
      {
        random,
        send: (packet) => this.#socket?.send(packet, remote.port, remote.host),
        deliver: (payload, dueUs) => {
          if (connection !== null) observer.deliver(payload, dueUs, connection);
        },
        connected: (made) => {
          connection = made;
          this.#onConnected(made, name);
        },
        failed: (reason) => this.#onAttemptFailed(describeReject(reason)),
        closed: (reason) => {
          if (connection !== null) this.#onClosed(connection, reason);
        },
      },
      this.#settings.srt,
      pulse.nowUs,
    );
    this.#machine = caller;
    caller.tick(pulse.nowUs);
    pulse.add(caller);
  }

  #onConnected(connection: SrtConnection, remote: string): void {
    const { pulse, observer } = this.#dependencies;
    const downSecs = this.#downSinceUs === null ? 0 : Math.round((pulse.nowUs - this.#downSinceUs) / 1e6);
    const cycle = { attempts: this.#attempts, downSecs };
    this.#connections = [...this.#connections, connection];
    this.#remotes.set(connection, remote);
    this.#attempts = 0;
    this.lastProblem = null;
    this.#downSinceUs = null;
    this.#retry.reset();
    observer.connected(connection, remote, cycle);
  }

  #onClosed(connection: SrtConnection, reason: CloseReason): void {
    const remote = this.remoteOf(connection);
    this.#connections = this.#connections.filter((each) => each !== connection);
    this.#remotes.delete(connection);
    if (this.#stopped) return;
    this.#downSinceUs ??= this.#dependencies.pulse.nowUs;
    this.#dependencies.observer.disconnected(connection, remote, reason);
    if (this.#settings.mode === 'caller') this.#dialLater();
  }

  #onAttemptFailed(error: string): void {
    if (this.#stopped) return;
    this.#attempts++;
    this.#downSinceUs ??= this.#dependencies.pulse.nowUs;
    if (this.#attempts === 1) this.#dependencies.observer.failed(error, this.#remoteName(), 1);
    this.#dialLater();
  }

  /** As configured, for people. */
  #remoteName(): string {
    const { remoteAddr, tunnel } = this.#settings;
    return remoteAddr === null ? `tunnel ${tunnel ?? ''}` : formatHostPort(remoteAddr);
  }

  #dialLater(): void {
    const { clock, pulse } = this.#dependencies;
    if (this.#machine !== null) pulse.remove(this.#machine);
    this.#machine = null;
    this.#timer = clock.setTimeout(() => void this.#dial(), this.#retry.nextDelayMs());
  }
}

function nameOf({ address, port }: SrtRemote): string {
  return formatHostPort({ host: address, port });
}

/** Opens a socket of the leg's own, or its way through a tunnel of this edge. */
export function legOpener({
  openSocket,
  openTunnel,
}: Pick<FlowPartDependencies, 'openSocket' | 'openTunnel'>): SrtLegDependencies['open'] {
  return (leg, observer) =>
    leg.tunnel === null
      ? openSocket({ bindAddr: leg.localAddr, interfaceAddr: null, ipv6: legIsIpv6(leg) }, observer)
      : openTunnel(leg.tunnel, observer);
}

/** The family of a leg's socket. A caller to a name takes IPv4. */
function legIsIpv6({ localAddr, remoteAddr }: SrtLegSettings): boolean {
  return isIPv6(localAddr?.host ?? remoteAddr?.host ?? '');
}
