import { isIP } from 'node:net';
import { z } from 'zod';
import { anyText, choice, flag, whole } from '../../config/schema-parts.ts';
import type { InputSettings, OutputSettings } from '../../media/flow/flow-settings.ts';

/** Inputs and outputs over WebRTC: WHIP and WHEP, as server and as client. */

const bearerToken = anyText()
  .min(1, { error: 'is empty; leave the key out' })
  .max(4096, { error: 'is longer than 4096 characters; shorten it' });
const publicIp = anyText('an IP address')
  .refine((address) => isIP(address) !== 0, { error: 'is not an IP address' })
  .describe('Address that others reach this machine by, where a NAT is in front of it.');
const httpUrl = anyText('a URL')
  .max(2048, { error: 'is longer than 2048 characters' })
  .refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), {
    error: 'is not an http:// or https:// URL; write for example "https://media.example/live/whip"',
  });

const videoOnly = flag().default(false).describe('Leave sound out.');

export const whipInput = z.strictObject({
  type: z.literal('webrtc').describe('A publisher dials this edge with WHIP, at /api/v1/flows/{id}/whip.'),
  bearer_token: bearerToken.optional().describe('What the publisher has to send; anybody may publish without it.'),
  video_only: videoOnly,
  public_ip: publicIp.optional(),
  stun_server: anyText('stun:host:port')
    .regex(/^stuns?:[^\s/]+$/, { error: 'is not stun:host:port; write for example "stun:stun.example:3478"' })
    .optional()
    .describe('Asked for the address that others reach this machine by.'),
});

export const whepInput = z.strictObject({
  type: z.literal('whep').describe('This edge dials a WHEP server.'),
  whep_url: httpUrl.describe('The server to play from.'),
  bearer_token: bearerToken.optional().describe('Sent to the server.'),
  video_only: videoOnly,
});

type RtcInputFields = z.output<typeof whipInput> | z.output<typeof whepInput>;

export function rtcInputSettings(input: RtcInputFields): InputSettings {
  const common = { bearerToken: input.bearer_token ?? null, videoOnly: input.video_only };
  if (input.type === 'whep') return { type: 'whep', whepUrl: input.whep_url, ...common };
  const { public_ip: ownIp = null, stun_server: stunServer = null } = input;
  return { type: 'webrtc', publicIp: ownIp, stunServer, ...common };
}

const outputKeys = {
  mode: choice(['whip_client', 'whep_server'])
    .default('whip_client')
    .describe('whip_client publishes at whip_url, whep_server lets viewers in at /api/v1/flows/{id}/whep.'),
  whip_url: httpUrl.optional().describe('The server that a whip_client publishes to.'),
  bearer_token: bearerToken.optional().describe('Sent by a whip_client; asked of viewers by a whep_server.'),
  max_viewers: whole(1, 100).default(10).describe('Viewers of a whep_server at the same time.'),
  public_ip: publicIp.optional(),
  video_only: videoOnly,
};

/** `named` are the keys that every output has. */
export function webrtcOutput<Named extends z.ZodRawShape>(named: Named) {
  return z.strictObject({ type: z.literal('webrtc'), ...named, ...outputKeys });
}

type OutputFields = z.output<z.ZodObject<typeof outputKeys>>;

/** What one key alone cannot show. */
export function checkWebrtcOutput(output: OutputFields, problem: (key: string, message: string) => void): void {
  if (output.mode === 'whip_client' && output.whip_url === undefined) {
    problem('whip_url', 'is missing; a whip_client needs the URL to publish to, or write "mode": "whep_server"');
  }
}

export function webrtcOutputSettings(
  output: OutputFields,
  named: { readonly id: string; readonly name: string },
): OutputSettings {
  return {
    ...named,
    type: 'webrtc',
    mode: output.mode,
    whipUrl: output.whip_url ?? '',
    bearerToken: output.bearer_token ?? null,
    maxViewers: output.max_viewers,
    publicIp: output.public_ip ?? null,
    videoOnly: output.video_only,
  };
}
