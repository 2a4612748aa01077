import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';

/**
 * 1316 bytes of video + 16 of SRT header: sealed and with its tunnel id, a 1376-byte QUIC datagram
 * (docs/protocol/tunnel.md §1).
 */
export const srtPacketBytes = 1332;

const headerBytes = 16;
const tickMs = 5;
/** What is sent at once where this process was late: a source that stood still must not flood the tunnel. */
const longestBurstMs = 20;
/**
 * The kernel's default holds a tenth of a second of this flow: less than this process may be busy with the TCP
 * transfer.
 */
const receiveBufferBytes = 4 * 1024 * 1024;
/** Once nothing has arrived for so long, what is missing is lost. */
const settleMs = 500;

export interface UdpFlowResult {
  readonly sent: number;
  readonly received: number;
  readonly damaged: number;
  /** One way through both edges and the relay. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}

/** Counts while it runs, for the live view. */
export interface UdpProgress {
  sent: number;
  received: number;
}

/**
 * Sends packets of an SRT stream's size at `packetsPerSec` for `seconds` through the tunnel and checks what arrives. It
 * takes longer where this process is late.
 */
export async function runUdpFlow(
  settings: {
    readonly local: HostPort;
    readonly destination: HostPort;
    readonly packetsPerSec: number;
    readonly seconds: number;
  },
  clock: Clock,
  progress: UdpProgress,
): Promise<UdpFlowResult> {
  const sender = createSocket('udp4');
  const receiver = createSocket({ type: 'udp4', recvBufferSize: receiveBufferBytes });
  try {
    receiver.bind(settings.destination.port, settings.destination.host);
    await once(receiver, 'listening');
    const arrivals = new Arrivals(clock, progress);
    receiver.on('message', (packet) => arrivals.add(packet));
    await send(sender, settings, clock, progress);
    await untilQuiet(clock, progress);
    return arrivals.result(progress.sent);
  } finally {
    sender.close();
    receiver.close();
  }
}

async function untilQuiet(clock: Clock, progress: UdpProgress): Promise<void> {
  for (let before = -1; before !== progress.received && progress.received < progress.sent;) {
    before = progress.received;
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, settleMs));
  }
}

function send(
  socket: Socket,
  { local, packetsPerSec, seconds }: { local: HostPort; packetsPerSec: number; seconds: number },
  clock: Clock,
  progress: UdpProgress,
): Promise<void> {
  const total = packetsPerSec * seconds;
  let dueMs = clock.monotonicMs();
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    const timer = clock.setInterval(() => {
      const nowMs = clock.monotonicMs();
      dueMs = Math.max(dueMs, nowMs - longestBurstMs);
      for (; dueMs <= nowMs && progress.sent < total; dueMs += 1000 / packetsPerSec) {
        socket.send(packet(progress.sent++, clock.monotonicMs()), local.port, local.host);
      }
      if (progress.sent < total) return;
      timer.cancel();
      resolve();
    }, tickMs);
  });
}

/** Number (8 bytes), time sent in ms (8 bytes), then bytes that follow from the number, so that damage shows. */
function packet(sequence: number, sentMs: number): Buffer {
  const bytes = Buffer.alloc(srtPacketBytes, filler(sequence));
  bytes.writeDoubleBE(sequence, 0);
  bytes.writeDoubleBE(sentMs, 8);
  return bytes;
}

function filler(sequence: number): Buffer {
  return Buffer.from([sequence & 0xff, (sequence >> 8) & 0xff, 0x47, 0xad, 0x17]);
}

class Arrivals {
  readonly #clock: Clock;
  readonly #progress: UdpProgress;
  readonly #seen = new Set<number>();
  readonly #latenciesMs: number[] = [];
  #damaged = 0;

  constructor(clock: Clock, progress: UdpProgress) {
    this.#clock = clock;
    this.#progress = progress;
  }

  add(bytes: Buffer): void {
    const sequence = bytes.length === srtPacketBytes ? bytes.readDoubleBE(0) : NaN;
    const intact =
      Number.isSafeInteger(sequence) &&
      bytes.subarray(headerBytes).equals(packet(sequence, 0).subarray(headerBytes)) &&
      !this.#seen.has(sequence);
    if (!intact) {
      this.#damaged += 1;
      return;
    }
    this.#seen.add(sequence);
    this.#progress.received += 1;
    this.#latenciesMs.push(this.#clock.monotonicMs() - bytes.readDoubleBE(8));
  }

  result(sent: number): UdpFlowResult {
    const sorted = this.#latenciesMs.sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
    const latencyMs = { p50: at(0.5), p99: at(0.99) };
    return { sent, received: this.#seen.size, damaged: this.#damaged, latencyMs };
  }
}
