import { z } from 'zod';
import { jsonContent, operationId } from '../../admin/openapi.ts';
import type { OwnRoutes } from '../../admin/own-routes.ts';
import { refusalSchema } from '../../admin/route.ts';
import { mostOfferBytes, rtcPaths, type RtcKind, type RtcPath } from './rtc-paths.ts';

const scheme = 'flow_token';

const parameters: Readonly<Record<string, string>> = {
  flow_id: 'The flow’s id, as the configuration has it.',
  output_id: 'The id of the output, where a flow has several in mode `whep_server`.',
  session_id: 'What ends the `Location` of the answer to the offer.',
};

const summaries: Readonly<Record<RtcKind, { readonly offer: string; readonly hangUp: string }>> = {
  whip: { offer: 'Publishes to a flow (WHIP).', hangUp: 'Ends a publisher’s session (WHIP).' },
  whep: { offer: 'Plays a flow (WHEP).', hangUp: 'Ends a viewer’s session (WHEP).' },
};

const notAuthorised = 'The bearer token of this input or output is missing or wrong.';

/** What an offer is refused for, by status. */
const refusals: Readonly<Record<RtcKind, Readonly<Record<number, string>>>> = {
  whip: offerRefusals('A publisher is live.', 'The flow does not run.'),
  whep: offerRefusals(
    'The stream is not for browsers: not H.264, or with B-frames.',
    'The flow does not run, or `max_viewers` are there.',
  ),
};

/** What the OpenAPI document of an edge says of the WHIP and WHEP endpoints. */
export const rtcDocument: Pick<OwnRoutes, 'paths' | 'securitySchemes'> = {
  paths: Object.fromEntries(
    rtcPaths.flatMap((path): [string, object][] => [
      [path.offers, { post: offerOperation(path) }],
      [path.session, { delete: hangUpOperation(path) }],
    ]),
  ),
  securitySchemes: {
    [scheme]: {
      type: 'http',
      scheme: 'bearer',
      description: 'The `bearer_token` of the input or output; nothing is asked for where it has none.',
    },
  },
};

function offerOperation({ kind, offers }: RtcPath): object {
  return {
    ...operation('POST', offers, summaries[kind].offer),
    requestBody: {
      required: true,
      description: 'An SDP offer with all its candidates, or none.',
      content: { 'application/sdp': { schema: { type: 'string', maxLength: mostOfferBytes } } },
    },
    responses: {
      201: {
        description: 'The SDP answer, with all candidates.',
        headers: { location: text('The path of the session; `DELETE` ends it.') },
        content: { 'application/sdp': { schema: { type: 'string' } } },
      },
      ...refused(refusals[kind]),
    },
  };
}

function hangUpOperation({ kind, session }: RtcPath): object {
  return {
    ...operation('DELETE', session, summaries[kind].hangUp),
    responses: {
      200: { description: 'The session has ended.', content: jsonContent(z.strictObject({})) },
      ...refused({
        400: 'The path cannot be decoded.',
        401: notAuthorised,
        404: 'There is no such endpoint, or no such session.',
      }),
    },
  };
}

function operation(method: string, path: string, summary: string): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return {
    summary,
    operationId: operationId({ method, path }),
    tags: ['webrtc'],
    security: [{}, { [scheme]: [] }],
    parameters: names.map((name) => ({
      in: 'path',
      name,
      required: true,
      description: parameters[name],
      schema: { type: 'string' },
    })),
  };
}

function offerRefusals(conflict: string, unavailable: string): Readonly<Record<number, string>> {
  return {
    400: 'Not SDP, no H.264 with packetization mode 1, or nothing that ICE and DTLS can use.',
    401: notAuthorised,
    404: 'There is no such flow, or it has no such endpoint.',
    409: conflict,
    413: `The offer is larger than ${mostOfferBytes} bytes.`,
    415: 'The body is not `application/sdp`.',
    503: unavailable,
  };
}

function refused(reasons: Readonly<Record<number, string>>): object {
  return Object.fromEntries(
    Object.entries(reasons).map(([status, description]) => [
      status,
      {
        description,
        ...(status === '503' && { headers: { 'retry-after': text('Seconds after which to try again.') } }),
        content: jsonContent(refusalSchema),
      },
    ]),
  );
}

function text(description: string): object {
  return { description, schema: { type: 'string' } };
}
