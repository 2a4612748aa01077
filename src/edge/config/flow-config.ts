import { isIP } from 'node:net';
import { z } from 'zod';
import type { ConfigProblem } from '../../config/config-problem.ts';
import { anyText, eachOnce, flag, text, whole } from '../../config/schema-parts.ts';
import { problemsOf } from '../../config/schema-problems.ts';
import type { FlowSettings, InputSettings, OutputSettings } from '../../media/flow/flow-settings.ts';
import { asJsonObject } from '../../lib/json.ts';
import { hlsOutput, hlsSettings, rtmpInput, rtmpSettings, rtspInput, rtspSettings } from './stream-config.ts';
import {
  checkSrtLeg,
  otherAddress,
  ownAddress,
  srtKeys,
  srtLeg,
  tunnelName,
  unsupported,
  type SrtFields,
} from './srt-config.ts';

import {
  checkWebrtcOutput,
  rtcInputSettings,
  webrtcOutput,
  webrtcOutputSettings,
  whepInput,
  whipInput,
} from './webrtc-config.ts';

type AddProblem = (key: string, message: string) => void;

const id = text()
  .max(64, { error: 'is longer than 64 characters; shorten it' })
  .describe('Names it in events, commands and statistics.');
const name = text().max(256, { error: 'is longer than 256 characters; shorten it' }).describe('What people call it.');
const interfaceAddr = anyText('an IP address')
  .refine((address) => isIP(address) !== 0, { error: 'is not an IP address; write the one of the interface' })
  .describe('Address of the interface for multicast.');
const mergeWindow = whole(10, 2000).default(150).describe('How long a gap waits for the other leg.');

const srtInput = z.strictObject({
  type: z.literal('srt'),
  ...srtKeys,
  redundancy: z.strictObject(srtKeys).optional().describe('Leg 2 of a protected input (SMPTE ST 2022-7).'),
  merge_window_ms: mergeWindow,
});
const udpInput = z.strictObject({
  type: z.literal('udp'),
  bind_addr: ownAddress.optional().describe('Where datagrams come in; a multicast group is joined.'),
  interface_addr: interfaceAddr.optional(),
  tunnel: tunnelName.optional(),
});
const rtpInput = z.strictObject({
  type: z.literal('rtp'),
  bind_addr: ownAddress.optional().describe('Where datagrams come in; a multicast group is joined.'),
  interface_addr: interfaceAddr.optional(),
  tunnel: tunnelName.optional(),
  allowed_sources: z
    .array(anyText('an IP address').refine((address) => isIP(address) !== 0, { error: 'is not an IP address' }))
    .optional()
    .describe('Senders that are let in; all without it.'),
  allowed_payload_types: z.array(whole(0, 127)).optional().describe('RTP payload types that are let in.'),
  max_bitrate_mbps: z
    .number({ error: 'must be a number of Mbit/s above 0' })
    .positive({ error: 'must be a number of Mbit/s above 0' })
    .optional()
    .describe('What comes above it is dropped.'),
  redundancy: z
    .strictObject({ bind_addr: ownAddress.describe('Where leg 2 comes in.') })
    .optional()
    .describe('Leg 2 of a protected input (SMPTE ST 2022-7).'),
  merge_window_ms: mergeWindow,
  fec_decode: unsupported('forward error correction'),
});

const srtOutput = z.strictObject({
  type: z.literal('srt'),
  id,
  name,
  ...srtKeys,
  redundancy: z.strictObject(srtKeys).optional().describe('Leg 2: the same RTP packets (SMPTE ST 2022-7).'),
});
const datagramOutputKeys = {
  id,
  name,
  dest_addr: otherAddress.optional().describe('Where datagrams go.'),
  bind_addr: ownAddress.optional().describe('Where they are sent from.'),
  interface_addr: interfaceAddr.optional(),
  tunnel: tunnelName.optional(),
  dscp: unsupported('Node.js cannot set it'),
};
const udpOutput = z.strictObject({ type: z.literal('udp'), ...datagramOutputKeys });
const rtpOutput = z.strictObject({
  type: z.literal('rtp'),
  ...datagramOutputKeys,
  fec_encode: unsupported('forward error correction'),
});

const rtcOutput = webrtcOutput({ id, name });
const segmentOutput = hlsOutput({ id, name });
const inputs = [srtInput, udpInput, rtpInput, rtmpInput, rtspInput, whipInput, whepInput] as const;
const outputs = [srtOutput, udpOutput, rtpOutput, segmentOutput, rtcOutput] as const;
const inputTypes = '"srt", "udp", "rtp", "rtmp", "rtsp", "webrtc", "whep"';
const outputTypes = '"srt", "udp", "rtp", "hls", "webrtc"';
const unknownType = (known: string): string => `has a type that is not supported; use one of ${known}`;

const inputSchema = z.discriminatedUnion('type', inputs, { error: unknownType(inputTypes) });
const outputSchema = z.discriminatedUnion('type', outputs, { error: unknownType(outputTypes) });

/** The keys of a flow, as they are written. */
export const flowFields = z.strictObject({
  id,
  name,
  enabled: flag().default(true).describe('false keeps it here without running it.'),
  media_analysis: flag().default(true).describe('Watch the transport stream: programmes, codecs, TR 101 290.'),
  thumbnail: flag().default(true).describe('Taken for compatibility; has no effect yet.'),
  input: inputSchema.describe('Where the stream comes from.'),
  outputs: z
    .array(outputSchema)
    .default([])
    .superRefine(eachOnce((output: { readonly id: string }) => output.id, 'id'))
    .describe('Where it goes; each gets every packet.'),
});

type FlowFields = z.output<typeof flowFields>;

/** A flow, from edge.json or from a manager. */
export const flowSchema: z.ZodType<FlowSettings> = z.preprocess(
  // Managers send an absent field as null.
  (entry) => asJsonObject(entry) ?? entry,
  flowFields.superRefine(checkTogether).transform(flowSettings),
);

/** One entry, as a manager sends it; whether its tunnels are there is the edge's to find. */
export function parseFlow(
  entry: unknown,
):
  | { readonly kind: 'valid'; readonly flow: FlowSettings }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] } {
  const parsed = flowSchema.safeParse(entry);
  return parsed.success
    ? { kind: 'valid', flow: parsed.data }
    : { kind: 'invalid', problems: problemsOf(parsed.error, flowFields) };
}

/** One output, as a manager sends it in `add_output`. */
export function parseOutput(
  entry: unknown,
):
  | { readonly kind: 'valid'; readonly output: OutputSettings }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] } {
  const schema = outputSchema.superRefine((output, context) => {
    checkOutput(output, (key, message) => context.addIssue({ code: 'custom', path: [key], message }));
  });
  const parsed = schema.safeParse(asJsonObject(entry) ?? entry);
  if (!parsed.success) return { kind: 'invalid', problems: problemsOf(parsed.error, outputSchema) };
  return { kind: 'valid', output: outputSettings(parsed.data) };
}

/** The tunnels that a flow names, by id or name, each with the place that names it. */
export function tunnelsOf({
  input,
  outputs,
}: FlowSettings): readonly { readonly path: string; readonly tunnel: string }[] {
  const named = [
    ...legTunnels(input, 'input'),
    ...outputs.flatMap((output, index) => legTunnels(output, `outputs[${index}]`)),
  ];
  return named.flatMap(({ path, tunnel }) => (tunnel === null ? [] : [{ path, tunnel }]));
}

function legTunnels(part: InputSettings | OutputSettings, path: string): { path: string; tunnel: string | null }[] {
  if (part.type === 'udp' || part.type === 'rtp') return [{ path: `${path}.tunnel`, tunnel: part.tunnel }];
  if (part.type !== 'srt') return [];
  const second =
    part.redundancy === null ? [] : [{ path: `${path}.redundancy.tunnel`, tunnel: part.redundancy.tunnel }];
  return [{ path: `${path}.tunnel`, tunnel: part.leg.tunnel }, ...second];
}

function checkTogether(flow: FlowFields, context: z.RefinementCtx<FlowFields>): void {
  const at = (...place: (string | number)[]): AddProblem => {
    return (key, message) => context.addIssue({ code: 'custom', path: [...place, ...key.split('.')], message });
  };
  const { input } = flow;
  if (input.type === 'srt') checkLegs(input, at('input'));
  else if (isDatagram(input) && (input.bind_addr === undefined) === (input.tunnel === undefined)) {
    at('input')('bind_addr', 'must be there, or a tunnel, and not both; write for example "0.0.0.0:5000"');
  }
  for (const [index, output] of flow.outputs.entries()) checkOutput(output, at('outputs', index));
}

function checkOutput(output: FlowFields['outputs'][number], problem: AddProblem): void {
  if (output.type === 'srt') checkLegs(output, problem);
  else if (output.type === 'webrtc') checkWebrtcOutput(output, problem);
  else if (output.type !== 'hls' && (output.dest_addr === undefined) === (output.tunnel === undefined)) {
    problem('dest_addr', 'must be there, or a tunnel, and not both; write for example "192.0.2.7:5000"');
  }
}

function checkLegs(legs: SrtFields & { readonly redundancy?: SrtFields | undefined }, problem: AddProblem): void {
  checkSrtLeg(legs, problem);
  if (legs.redundancy !== undefined) {
    checkSrtLeg(legs.redundancy, (key, message) => problem(`redundancy.${key}`, message));
  }
}

function flowSettings(flow: FlowFields): FlowSettings {
  return {
    id: flow.id,
    name: flow.name,
    enabled: flow.enabled,
    mediaAnalysis: flow.media_analysis,
    input: inputSettings(flow.input),
    outputs: flow.outputs.map(outputSettings),
  };
}

function isDatagram(input: FlowFields['input']): input is DatagramFields {
  return input.type === 'udp' || input.type === 'rtp';
}

function inputSettings(input: FlowFields['input']): InputSettings {
  switch (input.type) {
    case 'srt': {
      const redundancy = input.redundancy === undefined ? null : srtLeg(input.redundancy);
      return { type: 'srt', leg: srtLeg(input), redundancy, mergeWindowMs: input.merge_window_ms };
    }
    case 'udp':
    case 'rtp':
      return datagramSettings(input);
    case 'rtmp':
      return rtmpSettings(input);
    case 'rtsp':
      return rtspSettings(input);
    case 'webrtc':
    case 'whep':
      return rtcInputSettings(input);
  }
}

type DatagramFields = z.output<typeof udpInput> | z.output<typeof rtpInput>;

function datagramSettings(input: DatagramFields): InputSettings {
  const bindAddr = input.bind_addr ?? null;
  const where = { bindAddr, interfaceAddr: input.interface_addr ?? null, tunnel: input.tunnel ?? null };
  if (input.type === 'udp') return { type: 'udp', ...where };
  return {
    type: 'rtp',
    ...where,
    allowedSources: input.allowed_sources ?? null,
    allowedPayloadTypes: input.allowed_payload_types ?? null,
    maxBitrateMbps: input.max_bitrate_mbps ?? null,
    redundancy: input.redundancy === undefined ? null : { bindAddr: input.redundancy.bind_addr },
    mergeWindowMs: input.merge_window_ms,
  };
}

function outputSettings(output: FlowFields['outputs'][number]): OutputSettings {
  const named = { id: output.id, name: output.name };
  if (output.type === 'srt') {
    const redundancy = output.redundancy === undefined ? null : srtLeg(output.redundancy);
    return { ...named, type: 'srt', leg: srtLeg(output), redundancy };
  }
  if (output.type === 'webrtc') return webrtcOutputSettings(output, named);
  if (output.type === 'hls') return { ...named, ...hlsSettings(output) };
  return {
    ...named,
    type: output.type,
    destAddr: output.dest_addr ?? null,
    bindAddr: output.bind_addr ?? null,
    interfaceAddr: output.interface_addr ?? null,
    tunnel: output.tunnel ?? null,
  };
}
