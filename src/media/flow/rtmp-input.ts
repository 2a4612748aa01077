import { errorMessage } from '../../lib/app-error.ts';
import type { StreamObserver, StreamSocket, TcpListener } from '../net/tcp.ts';
import { RtmpSession, type RtmpAction } from '../rtmp/rtmp-session.ts';
import type { FlowInput, FlowInputDependencies } from './flow-part.ts';
import type { InputSettings } from './flow-settings.ts';
import type { InputStats } from './flow-stats.ts';
import type { Pulsed } from './pulse.ts';
import { QuietFailures } from './quiet-failures.ts';
import { UnitMuxer } from './unit-muxer.ts';

type RtmpInputSettings = Extract<InputSettings, { type: 'rtmp' }>;

/** Connections at once, those that do not publish yet included. */
const maxConnections = 16;
/** A publisher that has sent nothing for so long makes room for a new one: a restarted encoder need not wait. */
const takeoverUs = 1_000_000;

interface Publisher extends Pulsed {
  readonly session: RtmpSession;
  readonly socket: StreamSocket;
  readonly remoteAddr: string;
  hasStarted: boolean;
}

/** An RTMP server that takes one publisher at a time. */
export class RtmpInput implements FlowInput {
  readonly #dependencies: FlowInputDependencies;
  readonly #settings: RtmpInputSettings;
  readonly #muxer: UnitMuxer;
  readonly #publishers = new Set<Publisher>();
  #listener: TcpListener | null = null;
  #live: Publisher | null = null;
  #filtered = 0;
  #refused = 0;
  #lastProblem: string | null = null;
  readonly #failures = new QuietFailures();
  #isFailing = false;
  #stopped = false;

  constructor(dependencies: FlowInputDependencies, settings: RtmpInputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#muxer = new UnitMuxer(dependencies);
  }

  async start(): Promise<void> {
    this.#listener = await this.#dependencies.listenTcp(this.#settings.listenAddr, maxConnections, {
      onConnection: (socket) => this.#accept(socket),
      onError: (error) => this.#onError(errorMessage(error)),
    });
    this.#muxer.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#muxer.stop();
    for (const publisher of this.#publishers) this.#dependencies.pulse.remove(publisher);
    await this.#listener?.close();
  }

  stats(): InputStats {
    const { meter, skipped } = this.#muxer;
    return {
      input_type: 'rtmp',
      state: this.#live?.hasStarted === true ? 'publishing' : 'listening',
      listen_addr: this.#listener?.localAddress ?? '',
      ...(this.#live !== null && { remote_addr: this.#live.remoteAddr }),
      packets_received: meter.packets,
      bytes_received: meter.bytes,
      bitrate_bps: meter.bitsPerSecond(this.#dependencies.pulse.nowUs),
      packets_lost: 0,
      packets_filtered: this.#filtered + skipped,
      redundancy_switches: 0,
      refused: this.#refused,
      ...(this.#lastProblem !== null && { last_problem: this.#lastProblem }),
    };
  }

  /** A failed accept: once until one has succeeded again, and at most once a minute. */
  #onError(error: string): void {
    this.#refused++;
    this.#lastProblem = error;
    const isNews = !this.#isFailing && this.#failures.isNews(this.#dependencies.pulse.nowUs, error);
    if (isNews) this.#dependencies.report({ kind: 'rtmp-failed', error });
    this.#isFailing = true;
  }

  #accept(socket: StreamSocket): StreamObserver {
    const { pulse } = this.#dependencies;
    this.#isFailing = false;
    const admit = (nowUs: number): boolean => this.#admit(publisher, nowUs);
    const session = new RtmpSession(this.#settings.rtmp, admit, pulse.nowUs);
    const publisher: Publisher = {
      session,
      socket,
      remoteAddr: socket.remoteAddress,
      hasStarted: false,
      get nextUs() {
        return session.nextUs;
      },
      tick: (nowUs) => this.#carryOut(publisher, session.tick(nowUs)),
    };
    this.#publishers.add(publisher);
    pulse.add(publisher);
    return {
      onData: (bytes) => {
        this.#carryOut(publisher, session.handle(pulse.nowUs, bytes));
        pulse.poke(session.nextUs);
      },
      onClose: (error) => this.#leave(publisher, error === null ? 'the publisher has gone' : errorMessage(error)),
    };
  }

  #admit(publisher: Publisher, nowUs: number): boolean {
    const live = this.#live;
    if (live !== null) {
      if (nowUs - live.session.mediaAtUs < takeoverUs) return false;
      live.socket.end();
      this.#leave(live, 'another publisher has taken over');
    }
    this.#live = publisher;
    this.#muxer.beginSource();
    return true;
  }

  #carryOut(publisher: Publisher, actions: readonly RtmpAction[]): void {
    for (const action of actions) {
      if (!this.#publishers.has(publisher)) return;
      this.#act(publisher, action);
    }
  }

  #act(publisher: Publisher, action: RtmpAction): void {
    switch (action.kind) {
      case 'send':
        publisher.socket.write(action.bytes);
        return;
      case 'video-config':
        this.#muxer.addTrack({ video: action.codec }, action.parameterSets);
        return;
      case 'audio-config':
        this.#muxer.addTrack({ audio: action.codec });
        return;
      case 'started':
        publisher.hasStarted = true;
        this.#lastProblem = null;
        this.#dependencies.report({ kind: 'rtmp-connected', remoteAddr: publisher.remoteAddr });
        return;
      case 'unit':
        this.#muxer.push(action.unit);
        return;
      case 'unsupported':
        this.#filtered++;
        this.#lastProblem = action.what;
        return;
      case 'close':
        publisher.socket.end();
        this.#leave(publisher, action.reason);
    }
  }

  /** Once for each publisher. */
  #leave(publisher: Publisher, reason: string): void {
    if (!this.#publishers.delete(publisher)) return;
    const { pulse, report } = this.#dependencies;
    pulse.remove(publisher);
    if (this.#live === publisher) this.#live = null;
    if (this.#stopped) return;
    if (publisher.hasStarted) {
      report({ kind: 'rtmp-disconnected', remoteAddr: publisher.remoteAddr, reason });
      return;
    }
    this.#refused++;
    this.#lastProblem = reason;
  }
}
