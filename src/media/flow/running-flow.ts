import { AppError } from '../../lib/app-error.ts';
import { TsAnalysis } from '../mpegts/ts-analysis.ts';
import { WhepClientInput } from './whep-client-input.ts';
import { WhipServerInput } from './whip-server-input.ts';
import { WhepServerOutput } from './whep-server-output.ts';
import { WhipClientOutput } from './whip-client-output.ts';
import type { OfferTaker } from './offer-taker.ts';
import { Bus, type ChunkSink } from './bus.ts';
import { DatagramInput } from './datagram-input.ts';
import { DatagramOutput } from './datagram-output.ts';
import type { FlowInput, FlowInputDependencies, FlowOutput, FlowPartDependencies } from './flow-part.ts';
import type { FlowSettings, InputSettings, OutputSettings } from './flow-settings.ts';
import type { FlowReport } from './flow-stats.ts';
import { HlsOutput } from './hls-output.ts';
import { RtmpInput } from './rtmp-input.ts';
import { RtspInput } from './rtsp-input.ts';
import { SrtInput } from './srt-input.ts';
import { SrtOutput } from './srt-output.ts';

/** A source is asked for a key frame at most so often. */
const keyFramePeriodUs = 500_000;

/** One flow: its input, its outputs and the bus between them. */
export class RunningFlow {
  readonly id: string;
  readonly #dependencies: FlowPartDependencies;
  readonly #settings: FlowSettings;
  readonly #bus = new Bus();
  readonly #input: FlowInput;
  readonly #outputs = new Map<string, FlowOutput>();
  readonly #analysis: TsAnalysis | null;
  #keyFrameAskedUs = Number.NEGATIVE_INFINITY;

  constructor(dependencies: Omit<FlowPartDependencies, 'requestKeyFrame'>, settings: FlowSettings) {
    this.id = settings.id;
    this.#dependencies = { ...dependencies, requestKeyFrame: () => this.#requestKeyFrame() };
    this.#settings = settings;
    this.#analysis = settings.mediaAnalysis ? new TsAnalysis() : null;
    this.#input = createInput(
      { ...this.#dependencies, publish: (nowUs, chunk) => this.#bus.publish(nowUs, chunk) },
      settings.input,
    );
    if (this.#analysis !== null) this.#bus.add(analysing(this.#analysis));
  }

  /** How long packets may lie unread in its sockets. */
  get patienceMs(): number {
    let patienceMs = this.#input.patienceMs ?? 0;
    for (const output of this.#outputs.values()) patienceMs = Math.min(patienceMs, output.patienceMs ?? 0);
    return patienceMs;
  }

  /** The outputs first, so that nothing is lost of the input. Nothing is left behind when it rejects (AppError). */
  async start(): Promise<void> {
    try {
      for (const output of this.#settings.outputs) await this.addOutput(output);
      await this.#input.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#input.stop();
    await Promise.all([...this.#outputs.values()].map((output) => output.stop()));
  }

  /** Rejects with an AppError; the flow goes on. */
  async addOutput(settings: OutputSettings): Promise<void> {
    if (this.#outputs.has(settings.id)) throw new AppError('input-invalid', `output '${settings.id}' is there already`);
    const output = createOutput(this.#dependencies, settings);
    this.#outputs.set(settings.id, output);
    try {
      await output.start();
    } catch (error) {
      this.#outputs.delete(settings.id);
      await output.stop();
      throw error;
    }
    this.#bus.add(output);
  }

  async removeOutput(id: string): Promise<void> {
    const output = this.#outputs.get(id);
    if (output === undefined) return;
    this.#outputs.delete(id);
    this.#bus.remove(output);
    await output.stop();
  }

  /** The part that WebRTC peers dial; null where there is none. `outputId` is null for the input. */
  offerTaker(outputId: string | null): OfferTaker | null {
    const part = outputId === null ? this.#input : this.#outputs.get(outputId);
    return part?.offers ?? null;
  }

  report(nowUs: number): FlowReport {
    return {
      flowId: this.id,
      input: this.#input.stats(),
      outputs: [...this.#outputs.values()].map((output) => output.stats()),
      analysis: this.#analysis?.report(nowUs) ?? null,
    };
  }

  /** Many viewers may ask at the same time. */
  #requestKeyFrame(): void {
    const { nowUs } = this.#dependencies.pulse;
    if (nowUs - this.#keyFrameAskedUs < keyFramePeriodUs) return;
    this.#keyFrameAskedUs = nowUs;
    this.#input.requestKeyFrame?.();
  }
}

function analysing(analysis: TsAnalysis): ChunkSink {
  return { write: (nowUs, { bytes }) => analysis.push(nowUs, bytes) };
}

function createInput(dependencies: FlowInputDependencies, settings: InputSettings): FlowInput {
  switch (settings.type) {
    case 'srt':
      return new SrtInput(dependencies, settings);
    case 'udp':
    case 'rtp':
      return new DatagramInput(dependencies, settings);
    case 'rtmp':
      return new RtmpInput(dependencies, settings);
    case 'rtsp':
      return new RtspInput(dependencies, settings);
    case 'webrtc':
      return new WhipServerInput(dependencies, settings);
    case 'whep':
      return new WhepClientInput(dependencies, settings);
  }
}

function createOutput(dependencies: FlowPartDependencies, settings: OutputSettings): FlowOutput {
  switch (settings.type) {
    case 'srt':
      return new SrtOutput(dependencies, settings);
    case 'webrtc':
      return settings.mode === 'whep_server'
        ? new WhepServerOutput(dependencies, settings)
        : new WhipClientOutput(dependencies, settings);
    case 'udp':
    case 'rtp':
      return new DatagramOutput(dependencies, settings);
    case 'hls':
      return new HlsOutput(dependencies, settings);
  }
}
