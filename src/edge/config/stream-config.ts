import { z } from 'zod';
import { anyText, seconds, text } from '../../config/schema-parts.ts';
import type { InputSettings } from '../../media/flow/flow-settings.ts';
import { ownAddress } from './srt-config.ts';

/** Inputs and outputs over TCP and HTTP: RTMP. */

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
