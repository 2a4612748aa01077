import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { nodeHttp } from '../../lib/node-http.ts';
import { secretsEqual } from '../../protocol/tunnel/bind-token.ts';
import type { RtcDoorway } from '../flows/rtc-doorway.ts';
import type { EdgeAdminSource } from './edge-admin-source.ts';
import { mostOfferBytes, rtcPaths, type RtcKind } from './rtc-paths.ts';

interface Params {
  readonly flow_id: string;
  readonly output_id?: string;
  readonly session_id?: string;
}

type RtcRequest = FastifyRequest<{ Params: Params }>;

const busySecs = 5;

/** Where WebRTC publishers and viewers come in. The flow's own tokens stand for the API's. */
export function addRtcRoutes(app: FastifyInstance, source: EdgeAdminSource): void {
  for (const { kind, offers, session } of rtcPaths) {
    serve(app, offers, 'POST', (request, reply) => onOffer(source, kind, request, reply));
    serve(app, session, 'DELETE', (request, reply) => onHangUp(source, kind, request, reply));
  }
}

/** One method, the preflight of browsers, and 405 for the others: PATCH for one, as candidates are never sent later. */
function serve(
  app: FastifyInstance,
  path: string,
  method: 'POST' | 'DELETE',
  handler: (request: RtcRequest, reply: FastifyReply) => Promise<FastifyReply>,
): void {
  const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
  // The document has them from `rtcDocument`: fastify describes no body of a method that it reads none of.
  const schema = { hide: true };
  app.route<{ Params: Params }>({
    method,
    url,
    schema,
    handler: (request, reply) => handler(request, openToPages(reply)),
  });
  app.route({
    method: 'OPTIONS',
    url,
    schema,
    handler: (_request, reply) =>
      openToPages(reply)
        .headers({
          'access-control-allow-methods': `${method}, OPTIONS`,
          'access-control-allow-headers': 'authorization, content-type',
          'access-control-max-age': '86400',
          'accept-post': 'application/sdp',
        })
        .code(204)
        .send(),
  });
  app.route({
    method: nodeHttp.METHODS.filter((each) => each !== method && each !== 'OPTIONS'),
    url,
    schema,
    handler: (_request, reply) =>
      refuse(openToPages(reply).header('allow', `${method}, OPTIONS`), 405, 'method not allowed', 'method_not_allowed'),
  });
}

async function onOffer(
  source: EdgeAdminSource,
  kind: RtcKind,
  request: RtcRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const door = doorOf(source, kind, request, reply);
  if (door === null) return reply;
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/sdp') return refuse(reply, 415, 'send the offer as application/sdp', 'unsupported_type');
  const sdp = await readBody(request.raw);
  if (sdp === null) return refuse(reply, 413, `the offer is larger than ${mostOfferBytes} bytes`, 'too_large');
  const outcome = await door.offer(sdp);
  if (outcome.kind === 'refused') {
    if (outcome.status === 503) reply.header('retry-after', String(busySecs));
    return refuse(reply, outcome.status, outcome.error, 'offer_refused');
  }
  const at = new URL(request.url, 'http://edge').pathname.replace(/\/$/, '');
  const ofSession = request.params.output_id === undefined ? `${at}/session` : at;
  return reply
    .code(201)
    .type('application/sdp')
    .header('location', `${ofSession}/${outcome.sessionId}`)
    .serializer(String)
    .send(outcome.sdp);
}

async function onHangUp(
  source: EdgeAdminSource,
  kind: RtcKind,
  request: RtcRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const door = doorOf(source, kind, request, reply);
  if (door === null) return reply;
  const known = await door.hangUp(request.params.session_id ?? '');
  return known ? reply.code(200).send({}) : refuse(reply, 404, 'no such session', 'not_found');
}

/** The door that the path names, for a peer that may come in; else null, and the refusal is sent. */
function doorOf(source: EdgeAdminSource, kind: RtcKind, request: RtcRequest, reply: FastifyReply): RtcDoorway | null {
  const { flow_id: flowId, output_id: outputId = null } = request.params;
  const door = source.rtcDoor(kind, flowId, outputId);
  if (door === null) {
    refuse(reply, 404, `Flow '${flowId.slice(0, 64)}' has no ${kind.toUpperCase()} endpoint here`, 'not_found');
    return null;
  }
  const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (door.bearerToken === null || (given !== undefined && secretsEqual(given, door.bearerToken))) return door;
  refuse(reply.header('www-authenticate', 'Bearer'), 401, 'a valid bearer token is needed', 'unauthorized');
  return null;
}

/** Pages of any origin may use it: the bearer token decides what they may do. */
function openToPages(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'location, retry-after',
  });
}

function refuse(reply: FastifyReply, status: number, error: string, errorCode: string): FastifyReply {
  return reply.code(status).send({ error, error_code: errorCode });
}

/** Null for more than an offer has; the rest is not read. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes > mostOfferBytes) return null;
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}
