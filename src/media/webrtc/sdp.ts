import { isIP } from 'node:net';

/** Larger ones are refused unread: a browser's offer has some 6 kB. */
export const mostSdpBytes = 65_536;
/** Candidates of one peer that are tried; a machine with many interfaces has a dozen. */
const mostCandidates = 24;

/** One media section of a session description. */
interface Section {
  readonly kind: string;
  readonly lines: readonly string[];
}

/** H.264 as a peer offers it. */
export interface OfferedH264 {
  readonly payloadType: number;
  /** The parameters of its `a=fmtp`. */
  readonly parameters: string;
}

/** What a peer's offer has of what is sent and taken here. */
export interface OfferFacts {
  /** Null without H.264 in packetization mode 1. */
  readonly h264: OfferedH264 | null;
  readonly hasVideo: boolean;
  readonly hasOpus: boolean;
}

/** Reads an offer; null for what is none. */
export function readOffer(sdp: string): OfferFacts | null {
  const sections = sectionsOf(sdp);
  if (sections === null) return null;
  const { video, audio } = sections;
  return {
    hasVideo: video !== undefined,
    h264: video === undefined ? null : h264Of(video),
    hasOpus: audio?.lines.some((line) => /^a=rtpmap:\d+ opus\/48000/i.test(line)) === true,
  };
}

/** The names that a peer's connectivity checks carry (RFC 8839 §5.4); one where its streams are bundled. */
export function iceNames(sdp: string): ReadonlySet<string> {
  return new Set([...sdp.matchAll(/^a=ice-ufrag:(\S+)/gm)].map(([, name = '']) => name));
}

function sectionsOf(sdp: string): { video: Section | undefined; audio: Section | undefined } | null {
  const lines = sdp.split(/\r?\n/);
  if (lines[0] !== 'v=0') return null;
  const starts = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : []));
  const sections = starts.map((start, index): Section => {
    const kind = lines[start]?.slice(2).split(' ')[0] ?? '';
    return { kind, lines: lines.slice(start, starts[index + 1]) };
  });
  const find = (kind: string): Section | undefined => sections.find((section) => section.kind === kind);
  return sections.length === 0 ? null : { video: find('video'), audio: find('audio') };
}

/** Constrained Baseline where it is offered: every browser decodes and encodes it. */
function h264Of({ lines }: Section): OfferedH264 | null {
  const offered = lines.flatMap((line) => {
    const payloadType = /^a=rtpmap:(\d{1,3}) H264\/90000$/i.exec(line)?.[1];
    if (payloadType === undefined) return [];
    const format = `a=fmtp:${payloadType} `;
    const parameters = lines.find((each) => each.startsWith(format))?.slice(format.length) ?? '';
    return /(^|;)\s*packetization-mode=1\b/.test(parameters) ? [{ payloadType: Number(payloadType), parameters }] : [];
  });
  const isBaseline = ({ parameters }: OfferedH264): boolean => /profile-level-id=42e0/i.test(parameters);
  return offered.find(isBaseline) ?? offered[0] ?? null;
}

/**
 * A peer's description in which what is only bundled has a port: werift takes port 0 for a refusal. GStreamer offers
 * its sound so (RFC 9143 §6).
 */
export function withBundledPorts(sdp: string): string {
  return sdp
    .split(/^(?=m=)/m)
    .map((section) => (/^a=bundle-only\r?$/m.test(section) ? section.replace(/^(m=\S+) 0 /, '$1 9 ') : section))
    .join('');
}

/**
 * A peer's description without the candidates that are of no use: names that only its own network resolves, and more
 * than a peer has. Where nothing is left, its packets show where it is.
 */
export function trimCandidates(sdp: string): string {
  let kept = 0;
  return sdp
    .split(/\r?\n/)
    .filter((line) => {
      if (!line.startsWith('a=candidate:')) return true;
      const address = line.split(' ')[4] ?? '';
      return isIP(address) !== 0 && kept++ < mostCandidates;
    })
    .join('\r\n');
}

/** Our description with the address that others reach this machine by, in front of its own ones. */
export function withPublicAddress(sdp: string, address: string): string {
  return sdp
    .split(/\r?\n/)
    .flatMap((line) => {
      const parts = line.split(' ');
      if (!line.startsWith('a=candidate:') || !line.includes(' typ host') || isIP(parts[4] ?? '') !== isIP(address)) {
        return [line];
      }
      return [[...parts.slice(0, 4), address, ...parts.slice(5)].join(' '), line];
    })
    .join('\r\n');
}
