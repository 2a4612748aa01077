import { parseAudioSpecificConfig } from '../codec/aac.ts';
import type { RtpFormat } from '../rtp/depacketiser.ts';

/** One stream of a session that can be carried. */
export interface SdpTrack {
  readonly kind: 'video' | 'audio';
  readonly payloadType: number;
  readonly clockRate: number;
  readonly format: RtpFormat;
  /** H.264 and H.265: what `fmtp` holds. */
  readonly parameterSets: readonly Buffer[];
  /** As it is written: absolute, relative, or empty. */
  readonly control: string;
}

export interface SessionDescription {
  /** Of the whole session. */
  readonly control: string;
  /** The first stream of pictures and the first one of sound with a codec that is read here. */
  readonly tracks: readonly SdpTrack[];
  /** The codecs of all streams, for people. */
  readonly codecs: readonly string[];
}

interface Media {
  readonly kind: string;
  readonly payloadTypes: readonly number[];
  readonly attributes: string[];
}

const maxMedia = 32;

/** Reads a session description (RFC 8866) as far as an RTSP client needs it. */
export function parseSdp(text: string): SessionDescription {
  const session: string[] = [];
  const media: Media[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith('m=')) {
      const [kind = '', , , ...formats] = line.slice(2).split(' ');
      if (media.length < maxMedia) media.push({ kind, payloadTypes: formats.map(Number), attributes: [] });
    } else if (line.startsWith('a=')) {
      (media.at(-1)?.attributes ?? session).push(line.slice(2));
    }
  }
  const tracks = media.flatMap((each) => trackOf(each) ?? []);
  const first = (kind: SdpTrack['kind']): SdpTrack[] => tracks.filter((track) => track.kind === kind).slice(0, 1);
  return {
    control: attribute(session, 'control') ?? '',
    tracks: [...first('video'), ...first('audio')],
    codecs: media.flatMap(({ attributes }) => encodingOf(attributes)?.name ?? []).slice(0, 8),
  };
}

function trackOf({ kind, payloadTypes, attributes }: Media): SdpTrack | null {
  const encoding = encodingOf(attributes);
  const [payloadType] = payloadTypes;
  if (encoding === null || payloadType === undefined || !(encoding.clockRate > 0)) return null;
  const parameters = formatParameters(attribute(attributes, 'fmtp') ?? '');
  const format = formatOf(encoding.name, parameters);
  if (format === null) return null;
  const isVideo = format.codec === 'h264' || format.codec === 'h265';
  if (kind !== (isVideo ? 'video' : 'audio')) return null;
  return {
    kind: isVideo ? 'video' : 'audio',
    payloadType,
    clockRate: encoding.clockRate,
    format,
    parameterSets: isVideo ? parameterSetsOf(parameters) : [],
    control: attribute(attributes, 'control') ?? '',
  };
}

function formatOf(name: string, parameters: ReadonlyMap<string, string>): RtpFormat | null {
  switch (name) {
    case 'H264':
      return { codec: 'h264' };
    case 'H265':
      return { codec: 'h265' };
    case 'OPUS':
      return { codec: 'opus' };
    case 'MPEG4-GENERIC': {
      const config = parseAudioSpecificConfig(Buffer.from(parameters.get('config') ?? '', 'hex'));
      const bits = (key: string, otherwise: number): number => {
        const value = Number(parameters.get(key) ?? otherwise);
        return Number.isInteger(value) && value >= 0 && value <= 16 ? value : otherwise;
      };
      const format = { sizeBits: bits('sizelength', 13), indexBits: bits('indexlength', 3) };
      return config === null || format.sizeBits === 0 ? null : { codec: 'aac', config, format };
    }
    default:
      return null;
  }
}

function parameterSetsOf(parameters: ReadonlyMap<string, string>): Buffer[] {
  const written = ['sprop-parameter-sets', 'sprop-vps', 'sprop-sps', 'sprop-pps'].flatMap((key) => {
    return parameters.get(key)?.split(',') ?? [];
  });
  return written.map((set) => Buffer.from(set, 'base64')).filter(({ length }) => length > 2);
}

/** `96 MPEG4-GENERIC/48000/2` */
function encodingOf(attributes: readonly string[]): { readonly name: string; readonly clockRate: number } | null {
  const [, encoding] = attribute(attributes, 'rtpmap')?.split(' ') ?? [];
  const [name, rate] = encoding?.split('/') ?? [];
  return name === undefined ? null : { name: name.toUpperCase(), clockRate: Number(rate) };
}

/** `96 key=value; key=value`, keys in lower case. */
function formatParameters(fmtp: string): ReadonlyMap<string, string> {
  const pairs = fmtp.slice(fmtp.indexOf(' ') + 1).split(';');
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim().toLowerCase(), pair.slice(at + 1).trim()] as const;
    }),
  );
}

function attribute(attributes: readonly string[], name: string): string | undefined {
  return attributes
    .find((each) => each.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim();
}
