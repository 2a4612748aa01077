import { Playlist, playlistName, segmentName } from './playlist.ts';
import type { Segment } from './segmenter.ts';

export type PutOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'refused'; readonly status: number }
  /** No answer: no connection, or none in time. */
  | { readonly kind: 'failed'; readonly error: string };

/** What the runner is to do. */
export type UploadAction =
  /** One at a time: its outcome comes before the next. */
  | { readonly kind: 'put'; readonly name: string; readonly contentType: string; readonly body: Buffer }
  /** The first failure of a run; `previousFailures` is how many the run before had. */
  | { readonly kind: 'upload-failed'; readonly error: string; readonly previousFailures: number }
  /** It is tried every 30 s from now on; once until it has worked again. */
  | { readonly kind: 'failed'; readonly error: string };

/** Segments that wait while one is on its way. */
const mostWaiting = 3;
const triesEach = 2;
const mostFailures = 10;
const retryUs = 30_000_000;
/** Answers that do not change by trying again soon. */
const lasting: readonly number[] = [401, 403, 404, 410];

type Failure = Exclude<PutOutcome, { kind: 'stored' }>;

interface Waiting {
  segment: Segment;
  /** It was dropped; only its place is left. */
  isGap: boolean;
}

function drop(waiting: Waiting): void {
  waiting.segment = { ...waiting.segment, bytes: Buffer.alloc(0) };
  waiting.isGap = true;
}

interface Job {
  readonly segment: Segment;
  step: 'segment' | 'playlist';
  tries: number;
}

/** Decides what is put to the server and when: a segment, then the list with it, in order. Pure. */
export class HlsUploader {
  readonly #playlist: Playlist;
  readonly #waiting: Waiting[] = [];
  #job: Job | null = null;
  #failures = 0;
  #previousFailures = 0;
  #hasFailed = false;
  /** Nothing is tried before. */
  #notBeforeUs = Number.NEGATIVE_INFINITY;
  uploaded = 0;
  /** Segments that are not at the server. */
  missing = 0;

  constructor(mostEntries: number) {
    this.#playlist = new Playlist(mostEntries);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  offer(nowUs: number, segment: Segment): readonly UploadAction[] {
    this.#waiting.push({ segment, isGap: false });
    const real = this.#waiting.filter(({ isGap }) => !isGap);
    // It keeps its place: the list is in order also where one before it is on its way.
    if (real.length > mostWaiting && real[0] !== undefined) drop(real[0]);
    return this.#next(nowUs);
  }

  /** The outcome of the latest `put`. */
  done(nowUs: number, outcome: PutOutcome): readonly UploadAction[] {
    const job = this.#job;
    if (job === null) return [];
    if (outcome.kind !== 'stored') return this.#onFailure(nowUs, job, outcome);
    if (job.step === 'segment') {
      this.uploaded++;
      this.#playlist.add({ ...job.segment, isGap: false });
      return [this.#putPlaylist(job)];
    }
    this.#job = null;
    if (this.#failures > 0) this.#previousFailures = this.#failures;
    this.#failures = 0;
    this.#hasFailed = false;
    this.#notBeforeUs = Number.NEGATIVE_INFINITY;
    return this.#next(nowUs);
  }

  /** No segment can be made. */
  stall(error: string): readonly UploadAction[] {
    if (this.#hasFailed) return [];
    this.#hasFailed = true;
    return [{ kind: 'failed', error }];
  }

  /** The last list of all, for a server that has segments and takes them; null for another one. */
  end(): Extract<UploadAction, { kind: 'put' }> | null {
    if (this.uploaded === 0 || this.#failures > 0 || this.#hasFailed) return null;
    return putOf(this.#playlist.toString(true));
  }

  #onFailure(nowUs: number, job: Job, outcome: Failure): readonly UploadAction[] {
    const isLasting = outcome.kind === 'refused' && lasting.includes(outcome.status);
    if (++job.tries < triesEach && !isLasting && !this.#hasFailed) {
      return [job.step === 'segment' ? this.#putSegment(job) : this.#putPlaylist(job)];
    }
    if (job.step === 'segment') this.#miss(job.segment);
    this.#job = null;
    this.#failures++;
    const actions = this.#failureActions(describeFailure(job, outcome), isLasting);
    if (this.#hasFailed) this.#notBeforeUs = nowUs + retryUs;
    return [...actions, ...this.#next(nowUs)];
  }

  #failureActions(error: string, isLasting: boolean): readonly UploadAction[] {
    const actions: UploadAction[] = [];
    if (this.#failures === 1) {
      actions.push({ kind: 'upload-failed', error, previousFailures: this.#previousFailures });
    }
    if (this.#hasFailed || !(isLasting || this.#failures >= mostFailures)) return actions;
    this.#hasFailed = true;
    actions.push({ kind: 'failed', error: isLasting ? error : `${this.#failures} segments in a row failed: ${error}` });
    return actions;
  }

  /** It is not sent; its place in the list says so. */
  #miss(segment: Segment): void {
    this.missing++;
    this.#playlist.add({ ...segment, isGap: true });
  }

  #next(nowUs: number): readonly UploadAction[] {
    if (this.#job !== null || nowUs < this.#notBeforeUs) return [];
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.isGap) this.#miss(next.segment);
      else {
        this.#job = { segment: next.segment, step: 'segment', tries: 0 };
        return [this.#putSegment(this.#job)];
      }
    }
    return [];
  }

  #putSegment({ segment: { number, bytes } }: Job): UploadAction {
    return { kind: 'put', name: segmentName(number), contentType: 'video/mp2t', body: bytes };
  }

  #putPlaylist(job: Job): UploadAction {
    if (job.step === 'segment') job.tries = 0;
    job.step = 'playlist';
    return putOf(this.#playlist.toString());
  }
}

function putOf(playlist: string): Extract<UploadAction, { kind: 'put' }> {
  const contentType = 'application/vnd.apple.mpegurl';
  return { kind: 'put', name: playlistName, contentType, body: Buffer.from(playlist) };
}

function describeFailure({ step, segment }: Job, outcome: Failure): string {
  const what = step === 'segment' ? segmentName(segment.number) : playlistName;
  return `${what}: ${outcome.kind === 'refused' ? `the server answered ${outcome.status}` : outcome.error}`;
}
