import type { VideoCodec } from '../codec/media-unit.ts';
import { nalRole, splitAnnexB, startsDecoding } from '../codec/nal.ts';
import { decodePesHeader } from './pes.ts';
import { parsePat, parsePmt } from './program-tables.ts';
import { TableKeeper } from './table-keeper.ts';
import { readTsPacket } from './ts-packet.ts';

const videoCodecs: ReadonlyMap<string, VideoCodec> = new Map([
  ['H.264', 'h264'],
  ['H.265', 'h265'],
] as const);

interface CutStream {
  readonly pid: number;
  /** Null for sound, and for pictures of another codec. */
  readonly codec: VideoCodec | null;
  readonly isVideo: boolean;
}

export interface CutPoint {
  /** When what begins here is shown, 90 kHz, 33 bits; null where it is not said. */
  readonly pts: number | null;
}

/** Finds the packets of a transport stream at which it can be cut, without changing it. */
export class CutPoints {
  readonly #pat = new TableKeeper();
  #pmt = new TableKeeper();
  #pmtPid: number | null = null;
  #stream: CutStream | null = null;

  /** Copies of the latest tables; null until both have come. A copy counts as a packet that was sent twice. */
  get tables(): readonly Buffer[] | null {
    const { packets: pat } = this.#pat;
    const { packets: pmt } = this.#pmt;
    return pat === null || pmt === null ? null : [...pat, ...pmt];
  }

  /** Whether a decoder can start at this packet; null where it cannot. */
  look(packet: Buffer): CutPoint | null {
    const read = readTsPacket(packet);
    if (read === null) return null;
    const { pid, payload, start, isRandomAccess } = read;
    if (pid === 0) this.#onPat(packet, payload, start);
    else if (pid === this.#pmtPid) this.#onPmt(packet, payload, start);
    return start && pid === this.#stream?.pid ? cutPoint(this.#stream, payload, isRandomAccess) : null;
  }

  #onPat(packet: Buffer, payload: Buffer, start: boolean): void {
    const section = this.#pat.push(packet, payload, start);
    if (section === null) return;
    const [pmtPid = null] = parsePat(section)?.values() ?? [];
    if (pmtPid === this.#pmtPid) return;
    this.#pmtPid = pmtPid;
    this.#pmt = new TableKeeper();
    this.#stream = null;
  }

  #onPmt(packet: Buffer, payload: Buffer, start: boolean): void {
    const section = this.#pmt.push(packet, payload, start);
    const streams = section === null ? [] : (parsePmt(section)?.streams ?? []);
    const stream = streams.find(({ kind }) => kind === 'video') ?? streams.find(({ kind }) => kind === 'audio');
    if (stream === undefined) return;
    const { pid, kind, codec } = stream;
    this.#stream = { pid, isVideo: kind === 'video', codec: videoCodecs.get(codec) ?? null };
  }
}

/**
 * Sound can be cut at each packet. Pictures where the packet is marked, or where parameter sets or a key frame begin.
 */
function cutPoint({ isVideo, codec }: CutStream, payload: Buffer, isMarked: boolean): CutPoint | null {
  const header = decodePesHeader(payload);
  const point = { pts: header?.pts ?? null };
  if (!isVideo || isMarked) return point;
  if (codec === null || header === null) return null;
  const nals = splitAnnexB(payload.subarray(header.start));
  const begins = startsDecoding(codec, nals) || nals.some((nal) => nalRole(codec, nal) === 'parameters');
  return begins ? point : null;
}
