import { z } from 'zod';
import { anyText, choice, seconds, shown, text, whole } from '../../config/schema-parts.ts';
import type { InputSettings, OutputSettings } from '../../media/flow/flow-settings.ts';
import { ownAddress } from './srt-config.ts';

/** Inputs and outputs over TCP and HTTP: RTMP, RTSP and HLS. */

const secret = (most: number) =>
  anyText()
    .min(1, { error: 'is empty; leave the key out' })
    .max(most, { error: `is longer than ${most} characters; shorten it` });

export const rtmpInput = z.strictObject({
  type: z.literal('rtmp'),
  listen_addr: ownAddress.describe('Where publishers come in; 1935 is the usual port.'),
  app: text()
    .max(64, { error: 'is longer than 64 characters; shorten it' })
    .default('live')
    .describe('Name behind the address in a publisher, as in rtmp://host/live.'),
  stream_key: secret(256).optional().describe('The one that a publisher has to send; any without it.'),
  max_publishers: z
    .literal(1, { error: 'must be 1: a flow takes one stream; write a flow for each publisher' })
    .default(1)
    .describe('Only 1: a flow takes one stream.'),
  stall_timeout_secs: seconds(1, 300).default(10).describe('A publisher that sends nothing for so long is gone.'),
});

export function rtmpSettings(input: z.output<typeof rtmpInput>): Extract<InputSettings, { type: 'rtmp' }> {
  const { listen_addr: listenAddr, app, stream_key: streamKey, stall_timeout_secs: stallSecs } = input;
  const rtmp = { app, streamKey: streamKey ?? null, stallTimeoutMs: stallSecs * 1000 };
  return { type: 'rtmp', listenAddr, rtmp };
}

/** A URL with one of the schemes, without credentials in it. */
function url(schemes: readonly string[], example: string) {
  const wanted = `write for example "${example}"`;
  return anyText(`a URL, such as "${example}"`)
    .max(2048, { error: 'is longer than 2048 characters; shorten it' })
    .refine((written) => URL.canParse(written) && schemes.includes(new URL(written).protocol.slice(0, -1)), {
      error: ({ input }) => `is not a URL with ${schemes.join(':// or ')}:// but ${shown(input)}; ${wanted}`,
    });
}

export const rtspInput = z.strictObject({
  type: z.literal('rtsp'),
  rtsp_url: url(['rtsp', 'rtsps'], 'rtsp://camera.example/stream1').describe('The stream; rtsps:// is encrypted.'),
  username: text()
    .max(256, { error: 'is longer than 256 characters; shorten it' })
    .optional()
    .describe('For the server.'),
  password: secret(256).optional().describe('For the server; sent as Digest where the server knows it.'),
  transport: choice(['tcp', 'udp']).default('tcp').describe('How media comes: in the connection, or beside it.'),
  timeout_secs: seconds(1, 300).default(10).describe('A server that sends no answer or no media for so long is lost.'),
  reconnect_delay_secs: seconds(1, 3600).default(5).describe('Wait before each new attempt.'),
});

export function rtspSettings(input: z.output<typeof rtspInput>): Extract<InputSettings, { type: 'rtsp' }> {
  const address = new URL(input.rtsp_url);
  const username = input.username ?? decodeURIComponent(address.username);
  const password = input.password ?? decodeURIComponent(address.password);
  address.username = '';
  address.password = '';
  const credentials = username === '' && password === '' ? null : { username, password };
  const { transport, timeout_secs: timeoutSecs, reconnect_delay_secs: reconnectDelaySecs } = input;
  const rtsp = { url: address.href, credentials, transport, timeoutMs: timeoutSecs * 1000 };
  return { type: 'rtsp', rtsp, reconnectDelaySecs };
}

/** `named` is what every output has. */
export function hlsOutput<Named extends z.ZodRawShape>(named: Named) {
  return z.strictObject({
    type: z.literal('hls'),
    ...named,
    ingest_url: url(['http', 'https'], 'https://origin.example/live/camera-1').describe(
      'Folder that playlist.m3u8 and segments are put into.',
    ),
    segment_duration_secs: seconds(0.5, 10).default(2).describe('A segment ends with the first key frame after it.'),
    auth_token: secret(4096).optional().describe('Sent as Bearer token.'),
    max_segments: whole(1, 30).default(5).describe('Segments in the list.'),
  });
}

interface HlsFields {
  readonly ingest_url: string;
  readonly segment_duration_secs: number;
  readonly auth_token?: string | undefined;
  readonly max_segments: number;
}

export function hlsSettings(output: HlsFields): Omit<Extract<OutputSettings, { type: 'hls' }>, 'id' | 'name'> {
  const { ingest_url: ingestUrl, segment_duration_secs: segmentSecs, max_segments: maxSegments } = output;
  return { type: 'hls', ingestUrl, segmentSecs, authToken: output.auth_token ?? null, maxSegments };
}
