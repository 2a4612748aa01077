import { urlForPeople } from '../../lib/url-for-people.ts';
import { Segmenter } from '../hls/segmenter.ts';
import { HlsUploader, type PutOutcome, type UploadAction } from '../hls/uploader.ts';
import type { PutResult } from '../net/http-put.ts';
import type { Chunk } from './chunk.ts';
import type { FlowOutput, FlowPartDependencies } from './flow-part.ts';
import type { OutputSettings } from './flow-settings.ts';
import type { OutputStats } from './flow-stats.ts';
import type { Pulsed } from './pulse.ts';
import { RateMeter } from './rate-meter.ts';

type Put = Extract<UploadAction, { kind: 'put' }>;
type HlsOutputSettings = Extract<OutputSettings, { type: 'hls' }>;

const putTimeoutMs = 5000;
/** How long the end of an output may take. */
const lastPutTimeoutMs = 1000;
const watchPeriodUs = 1_000_000;

/** Cuts the stream into segments and puts them and their list to a server. */
export class HlsOutput implements FlowOutput, Pulsed {
  readonly patienceMs = Number.POSITIVE_INFINITY;
  readonly #dependencies: FlowPartDependencies;
  readonly #settings: HlsOutputSettings;
  readonly #segmenter: Segmenter;
  readonly #uploader: HlsUploader;
  readonly #meter = new RateMeter();
  readonly #abort = new AbortController();
  /** When it is looked at whether key frames come; Infinity before the first packet. */
  nextUs = Number.POSITIVE_INFINITY;
  #lastUs = Number.NEGATIVE_INFINITY;
  #lastProblem: string | null = null;

  constructor(dependencies: FlowPartDependencies, settings: HlsOutputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#segmenter = new Segmenter({ durationSecs: settings.segmentSecs });
    this.#uploader = new HlsUploader(settings.maxSegments);
  }

  start(): Promise<void> {
    this.#dependencies.pulse.add(this);
    return Promise.resolve();
  }

  /** The upload that is on its way is given up. The list marks the end, where the server takes it at once. */
  async stop(): Promise<void> {
    this.#dependencies.pulse.remove(this);
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    const last = this.#uploader.end();
    if (last !== null) await this.#send(last, lastPutTimeoutMs, new AbortController().signal);
  }

  write(nowUs: number, { bytes }: Chunk): void {
    this.#lastUs = nowUs;
    if (this.nextUs === Number.POSITIVE_INFINITY) {
      this.nextUs = nowUs + watchPeriodUs;
      this.#dependencies.pulse.poke(this.nextUs);
    }
    for (const segment of this.#segmenter.push(nowUs, bytes)) this.#carryOut(this.#uploader.offer(nowUs, segment));
  }

  /** A stream that comes and has no key frames is a failure; one that does not come is the input's. */
  tick(nowUs: number): void {
    this.nextUs = nowUs + watchPeriodUs;
    const keyless = nowUs - this.#lastUs < 2 * watchPeriodUs ? this.#segmenter.keylessSecs(nowUs) : null;
    if (keyless !== null) this.#carryOut(this.#uploader.stall(`no key frame for ${keyless} s`));
  }

  stats(): OutputStats {
    const { id, name, ingestUrl } = this.#settings;
    const { uploaded, missing, hasFailed } = this.#uploader;
    return {
      output_id: id,
      output_name: name,
      output_type: 'hls',
      state: hasFailed ? 'failed' : uploaded > 0 ? 'uploading' : 'waiting',
      remote_addr: urlForPeople(ingestUrl),
      packets_sent: this.#meter.packets,
      bytes_sent: this.#meter.bytes,
      bitrate_bps: this.#meter.bitsPerSecond(this.#dependencies.pulse.nowUs),
      packets_dropped: this.#segmenter.dropped,
      segments_sent: uploaded,
      segments_missing: missing,
      ...(this.#lastProblem !== null && { last_problem: this.#lastProblem }),
    };
  }

  #carryOut(actions: readonly UploadAction[]): void {
    const { id: outputId } = this.#settings;
    for (const action of actions) {
      if (action.kind === 'put') {
        void this.#put(action);
        continue;
      }
      this.#lastProblem = action.error;
      const { error } = action;
      if (action.kind === 'failed') this.#dependencies.report({ kind: 'hls-failed', outputId, error });
      else {
        const { previousFailures } = action;
        this.#dependencies.report({ kind: 'hls-upload-failed', outputId, error, previousFailures });
      }
    }
  }

  #send({ name, contentType, body }: Put, timeoutMs: number, signal: AbortSignal): Promise<PutResult> {
    const { authToken: bearerToken, ingestUrl } = this.#settings;
    const url = placeOf(ingestUrl, name);
    return this.#dependencies.httpPut({ url, contentType, bearerToken, body, timeoutMs, signal });
  }

  async #put(document: Put): Promise<void> {
    const { body } = document;
    const { signal } = this.#abort;
    const result = await this.#send(document, putTimeoutMs, signal);
    if (signal.aborted) return;
    const { nowUs } = this.#dependencies.pulse;
    const outcome = outcomeOf(result);
    if (outcome.kind === 'stored') {
      this.#lastProblem = null;
      this.#meter.add(nowUs, body.length);
    }
    this.#carryOut(this.#uploader.done(nowUs, outcome));
  }
}

function outcomeOf(result: PutResult): PutOutcome {
  if ('error' in result) return { kind: 'failed', error: result.error };
  return result.status >= 200 && result.status < 300 ? { kind: 'stored' } : { kind: 'refused', status: result.status };
}

/** A document below the URL; what stands behind `?` stays there. */
function placeOf(ingestUrl: string, name: string): string {
  const url = new URL(ingestUrl);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${name}`;
  return url.href;
}
