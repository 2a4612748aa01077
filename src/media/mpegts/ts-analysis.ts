import { ContinuityWatch } from './continuity-watch.ts';
import { PcrWatch, readPcr } from './pcr-watch.ts';
import { parsePat, parsePmt, type ElementaryStream } from './program-tables.ts';
import { SectionReader } from './section-reader.ts';
import { Tr101290Counters } from './tr101290.ts';

const packetBytes = 188;
const nullPid = 0x1fff;
/** PAT and PMT must come at least this often (TR 101 290 §5.2.1). */
const tablePeriodUs = 500_000;
const lostPidUs = 5_000_000;
/** How often the periods of tables are looked at. */
const checkPeriodUs = 100_000;

interface Programme {
  readonly number: number;
  readonly reader: SectionReader;
  seenUs: number;
  pcrPid: number;
  streams: readonly ElementaryStream[];
}

export interface TsReport {
  /** Errors since the start, by check. */
  readonly tr101290: Readonly<Record<keyof Tr101290Counters, number>>;
  readonly media_analysis: {
    readonly protocol: 'mpegts';
    readonly programs: readonly {
      readonly program_number: number;
      readonly pmt_pid: number;
      readonly streams: readonly { readonly pid: number; readonly kind: string; readonly codec: string }[];
    }[];
    readonly bitrate_bps: number;
  };
}

/** Watches a transport stream as it passes. Nothing that it carries can make it throw or grow. */
export class TsAnalysis {
  readonly counters = new Tr101290Counters();
  readonly #continuity = new ContinuityWatch();
  readonly #pcrs = new PcrWatch(this.counters);
  readonly #programmes = new Map<number, Programme>();
  readonly #streamSeenUs = new Map<number, number>();
  readonly #patReader = new SectionReader();
  #patSeenUs: number | null = null;
  #checkUs = 0;
  #badSyncs = 0;
  #bytes = 0;
  #rateFromUs: number | null = null;
  #bitsPerSecond = 0;

  /** `bytes` are whole packets. */
  push(nowUs: number, bytes: Buffer): void {
    this.#patSeenUs ??= nowUs;
    this.#rateFromUs ??= nowUs;
    this.#bytes += bytes.length;
    for (let at = 0; at + packetBytes <= bytes.length; at += packetBytes) this.#packet(nowUs, bytes, at);
    if (nowUs - this.#checkUs < checkPeriodUs) return;
    this.#checkUs = nowUs;
    this.#checkTables(nowUs);
  }

  report(nowUs: number): TsReport {
    const elapsed = nowUs - (this.#rateFromUs ?? nowUs);
    if (elapsed >= 900_000) {
      this.#bitsPerSecond = Math.round((this.#bytes * 8e6) / elapsed);
      this.#bytes = 0;
      this.#rateFromUs = nowUs;
    }
    const programs = [...this.#programmes].map(([pmtPid, { number, streams }]) => ({
      program_number: number,
      pmt_pid: pmtPid,
      streams: streams.map(({ pid, kind, codec }) => ({ pid, kind, codec })),
    }));
    return {
      tr101290: this.counters,
      media_analysis: { protocol: 'mpegts', programs, bitrate_bps: this.#bitsPerSecond },
    };
  }

  #packet(nowUs: number, bytes: Buffer, at: number): void {
    if (bytes[at] !== 0x47) {
      this.counters.sync_byte_errors++;
      if (++this.#badSyncs === 2) this.counters.ts_sync_loss++;
      return;
    }
    this.#badSyncs = 0;
    const second = bytes[at + 1] ?? 0;
    const pid = ((second & 0x1f) << 8) | (bytes[at + 2] ?? 0);
    if ((second & 0x80) !== 0) this.counters.transport_errors++;
    else if (pid !== nullPid) this.#content(nowUs, pid, bytes, at);
  }

  /** A packet with a PID that carries something. */
  #content(nowUs: number, pid: number, bytes: Buffer, at: number): void {
    const flags = bytes[at + 3] ?? 0;
    const adaptation = (flags & 0x20) === 0 ? 0 : 1 + (bytes[at + 4] ?? 0);
    const marks = marksOf(bytes, at, adaptation);
    if (!this.#continuity.check(pid, flags, (marks & 0x80) !== 0)) this.counters.continuity_errors++;
    if (adaptation >= 8 && adaptation <= packetBytes - 4 && (marks & 0x10) !== 0) {
      this.#pcrs.note(nowUs, pid, readPcr(bytes, at + 6), (marks & 0x80) !== 0);
    }
    if ((flags & 0x10) !== 0 && adaptation < packetBytes - 4) this.#payload(nowUs, pid, bytes, at, adaptation);
  }

  /** Only tables are looked into: a view for each packet would cost more than all the rest. */
  #payload(nowUs: number, pid: number, bytes: Buffer, at: number, adaptation: number): void {
    if (this.#streamSeenUs.has(pid)) {
      this.#streamSeenUs.set(pid, nowUs);
      return;
    }
    const programme = this.#programmes.get(pid);
    if (pid !== 0 && programme === undefined) return;
    const payload = bytes.subarray(at + 4 + adaptation, at + packetBytes);
    const start = ((bytes[at + 1] ?? 0) & 0x40) !== 0;
    if (pid === 0) this.#pat(nowUs, payload, start);
    else if (programme !== undefined) this.#pmt(nowUs, programme, payload, start);
  }

  #pat(nowUs: number, payload: Buffer, start: boolean): void {
    const outcome = this.#patReader.push(payload, start);
    if (outcome?.kind === 'bad-crc') this.counters.crc_errors++;
    const programmes = outcome?.kind === 'section' ? parsePat(outcome.section) : null;
    if (programmes === null) return;
    this.#patSeenUs = nowUs;
    const pids = new Set(programmes.values());
    for (const pid of this.#programmes.keys()) if (!pids.has(pid)) this.#programmes.delete(pid);
    for (const [number, pid] of programmes) {
      if (this.#programmes.get(pid)?.number === number) continue;
      this.#programmes.set(pid, { number, reader: new SectionReader(), seenUs: nowUs, pcrPid: nullPid, streams: [] });
    }
  }

  #pmt(nowUs: number, programme: Programme, payload: Buffer, start: boolean): void {
    const outcome = programme.reader.push(payload, start);
    if (outcome?.kind === 'bad-crc') this.counters.crc_errors++;
    const map = outcome?.kind === 'section' ? parsePmt(outcome.section) : null;
    if (map?.programme !== programme.number) return;
    programme.seenUs = nowUs;
    programme.pcrPid = map.pcrPid;
    programme.streams = map.streams;
    this.#follow(nowUs);
  }

  /** Watches the streams and clocks that the tables name now, and no others. */
  #follow(nowUs: number): void {
    const programmes = [...this.#programmes.values()];
    const pids = new Set(programmes.flatMap(({ streams }) => streams.map(({ pid }) => pid)));
    for (const pid of this.#streamSeenUs.keys()) if (!pids.has(pid)) this.#streamSeenUs.delete(pid);
    for (const pid of pids) if (!this.#streamSeenUs.has(pid)) this.#streamSeenUs.set(pid, nowUs);
    this.#pcrs.follow(new Set(programmes.map(({ pcrPid }) => pcrPid)));
  }

  /** Each table, and each stream that a PMT names, counts once for each time that it stays away. */
  #checkTables(nowUs: number): void {
    if (nowUs - (this.#patSeenUs ?? nowUs) > tablePeriodUs) {
      this.counters.pat_errors++;
      this.#patSeenUs = nowUs;
    }
    for (const programme of this.#programmes.values()) {
      if (nowUs - programme.seenUs <= tablePeriodUs) continue;
      this.counters.pmt_errors++;
      programme.seenUs = nowUs;
    }
    for (const [pid, seenUs] of this.#streamSeenUs) {
      if (nowUs - seenUs <= lostPidUs) continue;
      this.counters.pid_errors++;
      this.#streamSeenUs.set(pid, nowUs);
    }
  }
}

/** The flags of the adaptation field; none where it is empty. */
function marksOf(bytes: Buffer, at: number, adaptation: number): number {
  return adaptation > 1 ? (bytes[at + 5] ?? 0) : 0;
}
