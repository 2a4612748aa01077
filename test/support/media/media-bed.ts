import { createSocket, type Socket } from 'node:dgram';
import { formatProblem } from '../../../src/config/config-problem.ts';
import { parseFlow } from '../../../src/edge/config/flow-config.ts';
import { flowEventText } from '../../../src/edge/events/flow-event.ts';
import type { MediaUnit } from '../../../src/media/codec/media-unit.ts';
import { startMediaHost, type MediaHost } from '../../../src/media/flow/media-host.ts';
import type { FlowReport } from '../../../src/media/flow/flow-stats.ts';
import { TsDemuxer } from '../../../src/media/mpegts/ts-demuxer.ts';
import { until } from '../until.ts';

/** A media worker with one flow, as it is written in edge.json, and a UDP output that collects its stream. */
export class MediaBed implements AsyncDisposable {
  readonly #host: MediaHost;
  readonly #sink: Socket;
  readonly #flowId = 'main';
  readonly #datagrams: Buffer[] = [];
  readonly #demuxer = new TsDemuxer();
  /** The pictures and the sound that the flow has sent. */
  readonly units: MediaUnit[] = [];
  /** What people read, in order. */
  readonly messages: string[] = [];
  readonly details: Readonly<Record<string, unknown>>[] = [];
  report: FlowReport | null = null;

  private constructor(sink: Socket) {
    this.#sink = sink;
    sink.on('message', (datagram) => {
      this.#datagrams.push(datagram);
      this.units.push(...this.#demuxer.push(datagram));
    });
    this.#host = startMediaHost({
      event: (_flowId, event) => {
        const text = flowEventText({ ...event, flowId: this.#flowId, inputType: '' });
        this.messages.push(text.message);
        this.details.push(text.details);
      },
      reports: ([report]) => (this.report = report ?? null),
      died: (error) => this.messages.push(`worker died: ${error}`),
    });
  }

  static async start(input: object, outputs: readonly object[] = []): Promise<MediaBed> {
    const sink = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
    await new Promise<void>((resolve) => sink.bind(0, '127.0.0.1', () => resolve()));
    const bed = new MediaBed(sink);
    const port = String(sink.address().port);
    const sinkOutput = { id: 'sink', name: 'sink', type: 'udp', dest_addr: `127.0.0.1:${port}` };
    const parsed = parseFlow({ id: 'main', name: 'Main', input, outputs: [sinkOutput, ...outputs] });
    if (parsed.kind === 'invalid') throw new Error(parsed.problems.map(formatProblem).join('; '));
    await bed.#host.order({ kind: 'start-flow', flow: parsed.flow });
    return bed;
  }

  /** All that the flow has sent. */
  get stream(): Buffer {
    return Buffer.concat(this.#datagrams);
  }

  /** The next report for which it is so. */
  async reports(is: (report: FlowReport) => boolean): Promise<FlowReport> {
    await until(() => this.report !== null && is(this.report));
    if (this.report === null) throw new Error('no report');
    return this.report;
  }

  async says(message: string): Promise<void> {
    await until(() => this.messages.includes(message));
  }

  stopFlow(): Promise<void> {
    return this.#host.order({ kind: 'stop-flow', flowId: this.#flowId });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.stop();
    await new Promise<void>((resolve) => this.#sink.close(() => resolve()));
  }
}
