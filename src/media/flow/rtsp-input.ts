import { isIP, isIPv6 } from 'node:net';
import { errorMessage } from '../../lib/app-error.ts';
import type { Timer } from '../../lib/clock.ts';
import { urlForPeople } from '../../lib/url-for-people.ts';
import type { DatagramSocket } from '../net/datagram-socket.ts';
import type { StreamSocket } from '../net/tcp.ts';
import { mostTracks, RtspClient, type RtspAction } from '../rtsp/rtsp-client.ts';
import type { FlowInput, FlowInputDependencies } from './flow-part.ts';
import type { InputSettings } from './flow-settings.ts';
import type { InputStats } from './flow-stats.ts';
import type { Pulsed } from './pulse.ts';
import { UnitMuxer } from './unit-muxer.ts';

type RtspInputSettings = Extract<InputSettings, { type: 'rtsp' }>;

const defaultPorts: Readonly<Record<string, number>> = { 'rtsp:': 554, 'rtsps:': 322 };

/** Sockets of one track over UDP. */
interface TrackSockets {
  readonly rtp: DatagramSocket;
  readonly rtcp: DatagramSocket;
}

/** One attempt: from dialling to the loss. */
interface Attempt extends Pulsed {
  readonly client: RtspClient;
  readonly sockets: readonly TrackSockets[];
  socket: StreamSocket | null;
  playing: boolean;
}

/** Pulls a stream from an RTSP server, and dials again when it is lost. */
export class RtspInput implements FlowInput {
  readonly #dependencies: FlowInputDependencies;
  readonly #settings: RtspInputSettings;
  readonly #muxer: UnitMuxer;
  #attempt: Attempt | null = null;
  #timer: Timer | null = null;
  /** Failures since it played last, and when that was. */
  #failures = 0;
  #downSinceUs: number | null = null;
  #lost = 0;
  #filtered = 0;
  #lastProblem: string | null = null;
  #stopped = false;

  constructor(dependencies: FlowInputDependencies, settings: RtspInputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#muxer = new UnitMuxer(dependencies);
  }

  start(): Promise<void> {
    this.#muxer.start();
    void this.#dial();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#muxer.stop();
    const attempt = this.#attempt;
    if (attempt === null) return;
    const goodbye = attempt.client.teardown();
    if (goodbye !== null) attempt.socket?.write(goodbye);
    await this.#end(attempt);
  }

  stats(): InputStats {
    const { meter, skipped } = this.#muxer;
    const client = this.#attempt?.client;
    return {
      input_type: 'rtsp',
      state: this.#attempt?.playing === true ? 'playing' : 'connecting',
      mode: this.#settings.rtsp.transport,
      rtsp_url: urlForPeople(this.#settings.rtsp.url),
      packets_received: meter.packets,
      bytes_received: meter.bytes,
      bitrate_bps: meter.bitsPerSecond(this.#dependencies.pulse.nowUs),
      packets_lost: this.#lost + (client?.lostPackets ?? 0),
      packets_filtered: this.#filtered + skipped + (client?.unreadable ?? 0),
      redundancy_switches: 0,
      ...(this.#lastProblem !== null && { last_problem: this.#lastProblem }),
    };
  }

  async #dial(): Promise<void> {
    const { rtsp } = this.#settings;
    const { hostname, port, protocol } = new URL(rtsp.url);
    const host = hostname.replace(/^\[|\]$/g, '');
    let sockets: readonly TrackSockets[] = [];
    let address = host;
    try {
      if (rtsp.transport === 'udp') {
        // Datagrams are taken from the address that was dialled, and no other.
        address = (await this.#dependencies.resolve(host)).address;
        sockets = await this.#openSockets(address);
      }
    } catch (error) {
      this.#onFailure(errorMessage(error));
      return;
    }
    if (this.#isStopped) {
      await closeAll(sockets);
      return;
    }
    const attempt = this.#createAttempt(sockets);
    const target = {
      host: protocol === 'rtsps:' ? host : address,
      port: Number(port) || (defaultPorts[protocol] ?? 554),
    };
    attempt.socket = this.#dependencies.dialTcp(
      { ...target, tls: protocol === 'rtsps:', timeoutMs: rtsp.timeoutMs },
      () => this.#carryOut(attempt, attempt.client.start(this.#dependencies.pulse.nowUs)),
      {
        onData: (bytes) => this.#carryOut(attempt, attempt.client.handle(this.#dependencies.pulse.nowUs, bytes)),
        onClose: (error) => this.#onLost(attempt, error === null ? 'the server has closed' : errorMessage(error)),
      },
    );
  }

  get #isStopped(): boolean {
    return this.#stopped;
  }

  #createAttempt(sockets: readonly TrackSockets[]): Attempt {
    const { random, pulse } = this.#dependencies;
    const ports = sockets.map(({ rtp, rtcp }) => ({ rtp: portOf(rtp), rtcp: portOf(rtcp) }));
    const client = new RtspClient(random, this.#settings.rtsp, ports, pulse.nowUs);
    const attempt: Attempt = {
      client,
      sockets,
      socket: null,
      playing: false,
      get nextUs() {
        return client.nextUs;
      },
      tick: (nowUs) => this.#carryOut(attempt, client.tick(nowUs)),
    };
    this.#attempt = attempt;
    pulse.add(attempt);
    return attempt;
  }

  async #openSockets(server: string): Promise<readonly TrackSockets[]> {
    const { openSocket } = this.#dependencies;
    const opened: DatagramSocket[] = [];
    const open = async (onMessage: (packet: Buffer) => void): Promise<DatagramSocket> => {
      const socket = await openSocket(
        { bindAddr: null, interfaceAddr: null, ipv6: isIPv6(server) },
        {
          onMessage: (packet, from) => (from === server ? onMessage(packet) : (this.#filtered += 1)),
          // A socket that fails is silent: the client's own deadline notices.
          onError: () => undefined,
        },
      );
      opened.push(socket);
      return socket;
    };
    try {
      const sockets: TrackSockets[] = [];
      for (let track = 0; track < mostTracks; track++) {
        const rtp = await open((packet) => this.#onDatagram(track, packet));
        sockets.push({ rtp, rtcp: await open(() => undefined) });
      }
      return sockets;
    } catch (error) {
      await Promise.all(opened.map((socket) => socket.close()));
      throw error;
    }
  }

  #onDatagram(track: number, packet: Buffer): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#carryOut(attempt, attempt.client.datagram(this.#dependencies.pulse.nowUs, track, packet));
  }

  #carryOut(attempt: Attempt, actions: readonly RtspAction[]): void {
    for (const action of actions) {
      if (this.#attempt !== attempt) return;
      this.#act(attempt, action);
    }
    this.#dependencies.pulse.poke(attempt.nextUs);
  }

  #act(attempt: Attempt, action: RtspAction): void {
    switch (action.kind) {
      case 'send':
        attempt.socket?.write(action.bytes);
        return;
      case 'playing':
        this.#onPlaying(attempt, action.tracks);
        return;
      case 'unit':
        this.#muxer.push(action.unit);
        return;
      case 'punch': {
        const sockets = attempt.sockets[action.track];
        const server = attempt.socket?.remoteAddress ?? '';
        const host = server.slice(0, server.lastIndexOf(':')).replace(/^\[|\]$/g, '');
        if (sockets === undefined || isIP(host) === 0) return;
        sockets.rtp.send(emptyRtp, action.rtpPort, host);
        sockets.rtcp.send(emptyReport, action.rtcpPort, host);
        return;
      }
      case 'lost':
        this.#onLost(attempt, action.error);
    }
  }

  #onPlaying(attempt: Attempt, tracks: Extract<RtspAction, { kind: 'playing' }>['tracks']): void {
    const { pulse, report } = this.#dependencies;
    attempt.playing = true;
    this.#muxer.beginSource();
    for (const { format, kind, parameterSets } of tracks) this.#muxer.addTrack({ [kind]: format.codec }, parameterSets);
    const downSecs = this.#downSinceUs === null ? 0 : Math.round((pulse.nowUs - this.#downSinceUs) / 1e6);
    report({ kind: 'rtsp-connected', url: urlForPeople(this.#settings.rtsp.url), attempts: this.#failures, downSecs });
    this.#failures = 0;
    this.#downSinceUs = null;
    this.#lastProblem = null;
  }

  #onLost(attempt: Attempt, error: string): void {
    if (this.#attempt !== attempt) return;
    this.#lost += attempt.client.lostPackets;
    this.#filtered += attempt.client.unreadable;
    void this.#end(attempt);
    if (!this.#stopped) this.#onFailure(error);
  }

  /** The loss of a stream, or the first failure of an input that never played, is an event; what follows is not. */
  #onFailure(error: string): void {
    if (this.#stopped) return;
    const { clock, pulse, report } = this.#dependencies;
    const { reconnectDelaySecs, rtsp } = this.#settings;
    this.#lastProblem = error;
    this.#downSinceUs ??= pulse.nowUs;
    this.#failures++;
    if (this.#failures === 1)
      report({ kind: 'rtsp-disconnected', url: urlForPeople(rtsp.url), error, retrySecs: reconnectDelaySecs });
    this.#timer = clock.setTimeout(() => void this.#dial(), reconnectDelaySecs * 1000);
  }

  async #end(attempt: Attempt): Promise<void> {
    this.#attempt = null;
    this.#dependencies.pulse.remove(attempt);
    attempt.socket?.end();
    await closeAll(attempt.sockets);
  }
}

/** An RTP packet without content, and an empty receiver report: they open a NAT's way. */
const emptyRtp = Buffer.from([0x80, 0, ...new Array<number>(10).fill(0)]);
const emptyReport = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0]);

async function closeAll(sockets: readonly TrackSockets[]): Promise<void> {
  await Promise.all(sockets.flatMap(({ rtp, rtcp }) => [rtp.close(), rtcp.close()]));
}

function portOf({ localAddress }: DatagramSocket): number {
  return Number(localAddress.slice(localAddress.lastIndexOf(':') + 1));
}
