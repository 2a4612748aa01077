import { formatHostPort } from '../../lib/host-port.ts';
import { isIPv6 } from 'node:net';
import type { DatagramSocket } from '../net/datagram-socket.ts';
import { encodeRtp, mpegTsPayloadType } from '../rtp/rtp-packet.ts';
import type { Chunk } from './chunk.ts';
import type { FlowOutput, FlowPartDependencies } from './flow-part.ts';
import type { OutputSettings } from './flow-settings.ts';
import type { OutputStats } from './flow-stats.ts';
import { RateMeter } from './rate-meter.ts';

type DatagramOutputSettings = Extract<OutputSettings, { type: 'udp' | 'rtp' }>;

/** MPEG-TS in UDP, bare or in RTP: each chunk is one datagram. */
export class DatagramOutput implements FlowOutput {
  readonly #dependencies: FlowPartDependencies;
  readonly #settings: DatagramOutputSettings;
  readonly #meter = new RateMeter();
  readonly #ssrc: number;
  #sequence: number;
  #socket: DatagramSocket | null = null;
  #address = '';

  constructor(dependencies: FlowPartDependencies, settings: DatagramOutputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const random = Buffer.from(dependencies.random.bytes(6));
    this.#ssrc = random.readUInt32BE(0);
    this.#sequence = random.readUInt16BE(4);
  }

  async start(): Promise<void> {
    const { openSocket, openTunnel, resolve } = this.#dependencies;
    const { destAddr, bindAddr, interfaceAddr, tunnel } = this.#settings;
    // Replies are ignored, and a datagram that cannot be sent is lost.
    const observer = { onMessage: () => undefined, onError: () => undefined };
    if (tunnel !== null) {
      this.#socket = await openTunnel(tunnel, observer);
      return;
    }
    this.#address = (await resolve(destAddr?.host ?? '')).address;
    this.#socket = await openSocket({ bindAddr, interfaceAddr, ipv6: isIPv6(this.#address) }, observer);
  }

  async stop(): Promise<void> {
    await this.#socket?.close();
  }

  write(nowUs: number, { bytes, timeUs }: Chunk): void {
    const packet = this.#settings.type === 'udp' ? bytes : this.#inRtp(bytes, timeUs);
    this.#socket?.send(packet, this.#settings.destAddr?.port ?? 0, this.#address);
    this.#meter.add(nowUs, bytes.length);
  }

  stats(): OutputStats {
    const { id, name, type, destAddr } = this.#settings;
    const bitrate = this.#meter.bitsPerSecond(this.#dependencies.pulse.nowUs);
    return {
      output_id: id,
      output_name: name,
      output_type: type,
      state: bitrate > 0 ? 'sending' : 'idle',
      ...(destAddr !== null && { remote_addr: formatHostPort(destAddr) }),
      packets_sent: this.#meter.packets,
      bytes_sent: this.#meter.bytes,
      bitrate_bps: bitrate,
      packets_dropped: 0,
    };
  }

  #inRtp(bytes: Buffer, timeUs: number): Buffer {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const timestamp = Math.floor((timeUs * 9) / 100) % 2 ** 32;
    return encodeRtp({ payloadType: mpegTsPayloadType, sequence: this.#sequence, timestamp, ssrc: this.#ssrc }, bytes);
  }
}
