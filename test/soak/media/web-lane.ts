import type { FlowStatsReport } from '../../../src/edge/admin/flow-schemas.ts';
import type { SeededRandom } from '../../support/fakes/seeded-random.ts';
import { freeTcpPort } from '../../support/manager/free-tcp-port.ts';
import { HttpOrigin } from '../../support/media/http-origin.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { pause } from '../../support/pause.ts';
import { ffmpegSource, type PeerProgram } from '../../support/peers/peer-program.ts';
import { anyEnd, type MediaLane } from './media-lane.ts';

/** ffmpeg over RTMP → flow → HLS, at a server that is away now and then. Each segment must be without an error. */
export async function createWebLane(): Promise<MediaLane> {
  let isAway = false;
  const origin = await HttpOrigin.start(() => ({ status: isAway ? 503 : 201 }));
  const away = async (ms: number): Promise<void> => {
    isAway = true;
    await pause(ms);
    isAway = false;
  };
  return new WebLane(origin, await freeTcpPort(), away);
}

class WebLane implements MediaLane {
  readonly id = 'web';
  readonly places = 1;
  readonly flow: Readonly<Record<string, unknown>>;
  readonly #origin: HttpOrigin;
  readonly #rtmpPort: number;
  readonly #away: (ms: number) => Promise<void>;
  #publisher: PeerProgram | null = null;
  starts = 0;
  #segments = 0;
  #damaged = 0;

  constructor(origin: HttpOrigin, rtmpPort: number, away: (ms: number) => Promise<void>) {
    this.#origin = origin;
    this.#rtmpPort = rtmpPort;
    this.#away = away;
    this.flow = {
      input: { type: 'rtmp', listen_addr: `127.0.0.1:${rtmpPort}`, stream_key: 'key', stall_timeout_secs: 5 },
      outputs: [{ id: 'hls', name: 'HLS', type: 'hls', ingest_url: origin.url, segment_duration_secs: 2 }],
    };
  }

  start(): Promise<void> {
    this.#publish();
    return Promise.resolve();
  }

  async restart(random: SeededRandom): Promise<void> {
    if (random.float() < 0.3) {
      await this.#away(3000 + random.float() * 6000);
      return;
    }
    this.#publisher?.kill(anyEnd(random));
    await this.#publisher?.[Symbol.asyncDispose]();
    await pause(500 + random.float() * 4000);
    this.#publish();
  }

  check(): void {
    const { documents, puts } = this.#origin;
    puts.splice(0);
    for (const [name, bytes] of documents) {
      if (!name.endsWith('.ts')) continue;
      documents.delete(name);
      const { continuityErrors, syncErrors } = checkStream(bytes);
      this.#segments++;
      if (continuityErrors + syncErrors > 0 || bytes.length % 188 !== 0) this.#damaged++;
    }
  }

  faults({ input, outputs: [output] }: FlowStatsReport): string[] {
    const sent = output?.segments_sent ?? 0;
    // The segment that is on its way is counted at one end only; one of which the answer was lost arrives twice.
    const isSum = Math.abs(sent - this.#segments) <= 1;
    return [
      ...(this.#damaged > 0 ? [`web: ${this.#damaged} of ${this.#segments} segments are damaged`] : []),
      ...(isSum ? [] : [`web: ${sent} segments were sent, ${this.#segments} arrived`]),
      ...((input?.packets_received ?? 0) > 0 ? [] : ['web: nothing came in']),
    ];
  }

  describe(): string {
    return `${this.#segments} segments arrived, ${this.#damaged} of them damaged`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher?.[Symbol.asyncDispose]();
    await this.#origin[Symbol.asyncDispose]();
  }

  #publish(): void {
    this.starts++;
    this.#publisher = ffmpegSource('-f', 'flv', `rtmp://127.0.0.1:${this.#rtmpPort}/live/key`);
  }
}
