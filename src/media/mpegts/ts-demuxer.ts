import { isDeepStrictEqual } from 'node:util';
import type { AudioCodec, MediaUnit, VideoCodec } from '../codec/media-unit.ts';
import { AudioReader } from './audio-reader.ts';
import { PesReader } from './pes-reader.ts';
import { parsePat, parsePmt, type ElementaryStream } from './program-tables.ts';
import { SectionReader } from './section-reader.ts';
import type { TsTracks } from './section-writer.ts';
import { TimeLine } from './time-line.ts';
import { readTsPacket } from './ts-packet.ts';
import { readVideo } from './video-reader.ts';

const packetBytes = 188;

const videoCodecs: ReadonlyMap<string, VideoCodec> = new Map([
  ['H.264', 'h264'],
  ['H.265', 'h265'],
] as const);
const audioCodecs: ReadonlyMap<string, AudioCodec> = new Map([
  ['AAC', 'aac'],
  ['Opus', 'opus'],
] as const);

interface Known<Codec> {
  readonly pid: number;
  readonly codec: Codec;
}

interface Track {
  readonly pid: number;
  readonly pes: PesReader;
  /** The units in a PES packet. */
  readonly read: (packet: Buffer) => readonly MediaUnit[];
}

/** Takes the first picture stream and the first sound stream of the first programme out of a transport stream. Pure. */
export class TsDemuxer {
  readonly #patReader = new SectionReader();
  #pmtReader = new SectionReader();
  #pmtPid: number | null = null;
  #tracks: readonly Track[] = [];
  #codecs: TsTracks = { video: null, audio: null };
  #dropped = 0;

  /** What the programme carries, as its latest map says. */
  get tracks(): TsTracks {
    return this.#codecs;
  }

  /** PES packets that were not whole. */
  get droppedPackets(): number {
    return this.#tracks.reduce((sum, { pes }) => sum + pes.dropped, this.#dropped);
  }

  /** `bytes` are whole packets. A picture is complete when its length says so, or when the next one begins. */
  push(bytes: Buffer): readonly MediaUnit[] {
    const units: MediaUnit[] = [];
    for (let at = 0; at + packetBytes <= bytes.length; at += packetBytes) {
      this.#packet(bytes.subarray(at, at + packetBytes), units);
    }
    return units;
  }

  #packet(packet: Buffer, units: MediaUnit[]): void {
    const read = readTsPacket(packet);
    if (read === null) return;
    const { pid, payload, start, counter } = read;
    if (pid === 0) this.#pat(payload, start);
    else if (pid === this.#pmtPid) this.#pmt(payload, start);
    else {
      const track = this.#tracks.find((each) => each.pid === pid);
      for (const pes of track?.pes.push(payload, start, counter) ?? []) units.push(...(track?.read(pes) ?? []));
    }
  }

  #pat(payload: Buffer, start: boolean): void {
    const outcome = this.#patReader.push(payload, start);
    const programmes = outcome?.kind === 'section' ? parsePat(outcome.section) : null;
    const [pid] = programmes?.values() ?? [];
    if (pid === undefined || pid === this.#pmtPid) return;
    this.#pmtPid = pid;
    this.#pmtReader = new SectionReader();
  }

  #pmt(payload: Buffer, start: boolean): void {
    const outcome = this.#pmtReader.push(payload, start);
    const map = outcome?.kind === 'section' ? parsePmt(outcome.section) : null;
    if (map !== null) this.#follow(known(map.streams, videoCodecs), known(map.streams, audioCodecs));
  }

  #follow(video: Known<VideoCodec> | null, audio: Known<AudioCodec> | null): void {
    const codecs = { video: video?.codec ?? null, audio: audio?.codec ?? null };
    const pids = [video, audio].flatMap((stream) => (stream === null ? [] : [stream.pid]));
    if (isDeepStrictEqual([codecs, pids], [this.#codecs, this.#tracks.map(({ pid }) => pid)])) return;
    this.#dropped = this.droppedPackets;
    this.#codecs = codecs;
    const timeLine = new TimeLine();
    const tracks: Track[] = [];
    if (video !== null) {
      tracks.push({ pid: video.pid, pes: new PesReader(), read: (pes) => readVideo(video.codec, pes, timeLine) });
    }
    if (audio !== null) {
      const reader = new AudioReader(audio.codec, timeLine);
      tracks.push({ pid: audio.pid, pes: new PesReader(), read: (pes) => reader.read(pes) });
    }
    this.#tracks = tracks;
  }
}

/** The first stream with a codec that is read here. */
function known<Codec>(streams: readonly ElementaryStream[], codecs: ReadonlyMap<string, Codec>): Known<Codec> | null {
  for (const { pid, codec: name } of streams) {
    const codec = codecs.get(name);
    if (codec !== undefined) return { pid, codec };
  }
  return null;
}
