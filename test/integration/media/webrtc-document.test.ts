import { describe, expect, it } from 'vitest';
import { RtcSession } from '../../../src/media/webrtc/rtc-session.ts';
import { rtcPaths } from '../../../src/edge/admin/rtc-paths.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { OpenApiDocument } from '../../support/openapi-document.ts';
import { PictureSource } from '../../support/peers/picture-source.ts';
import type { RestAnswer } from '../../support/peers/rest-client.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const sdp = 'application/sdp';
const noSession = '0'.repeat(32);

interface Asked {
  readonly flow?: string;
  readonly output?: string;
  readonly session?: string;
  readonly token?: string | null;
  readonly type?: string;
  readonly body?: string;
}

/** Asks the endpoints of an edge, and compares each answer with the document. */
class Caller {
  readonly #bed: FlowBed;
  readonly #document: OpenApiDocument;
  readonly seen = new Set<string>();

  constructor(bed: FlowBed, document: OpenApiDocument) {
    this.#bed = bed;
    this.#document = document;
  }

  async ask(method: 'POST' | 'DELETE', template: string, asked: Asked = {}): Promise<RestAnswer> {
    const { flow = 'stage', output = 'web', session = noSession, token = 'secret', type = sdp, body } = asked;
    const path = template.replace('{flow_id}', flow).replace('{output_id}', output).replace('{session_id}', session);
    const headers = {
      ...(body !== undefined && { 'content-type': type }),
      ...(token !== null && { authorization: `Bearer ${token}` }),
    };
    const response = await fetch(this.#bed.url + path, { method, headers, ...(body !== undefined && { body }) });
    const answer = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
    const faults = this.#document.answerFaults(method.toLowerCase(), template, answer);
    expect({ method, template, answer, faults }).toMatchObject({ faults: [] });
    this.seen.add(`${method.toLowerCase()} ${template} ${answer.status}`);
    return answer;
  }
}

/** A publisher's or a viewer's offer; nothing follows it. */
async function offerOf(role: 'sends' | 'receives'): Promise<string> {
  const ignore = (): undefined => undefined;
  const session = new RtcSession(
    {
      clock: new ManualClock(),
      observer: { connected: ignore, ended: ignore, packet: ignore, keyFrameWanted: ignore },
    },
    { role, tracks: ['video'], h264: null, publicIp: null, stunServer: null },
  );
  const offer = await session.offer();
  await session.close();
  return offer;
}

describe('the OpenAPI document of an edge', () => {
  it('has every answer of the WHIP and WHEP endpoints, and they give each that it has', async () => {
    await using bed = await FlowBed.open();
    const web = { id: 'web', name: 'Web', type: 'webrtc', mode: 'whep_server', max_viewers: 1, bearer_token: 'secret' };
    const stage = { id: 'stage', name: 'Stage', input: { type: 'webrtc', bearer_token: 'secret' }, outputs: [web] };
    await bed.command({ type: 'create_flow', flow: stage });
    const port = await bed.create({ id: 'film', input: { type: 'udp', bind_addr: '127.0.0.1:0' }, outputs: [web] });
    const document = new OpenApiDocument(await (await fetch(`${bed.url}/api/v1/openapi.json`)).json());
    const caller = new Caller(bed, document);
    using source = new PictureSource(port, { withBFrames: true });
    for (const { kind, offers, session } of rtcPaths) {
      const body = await offerOf(kind === 'whip' ? 'sends' : 'receives');
      await caller.ask('POST', offers, { flow: 'none', body });
      await caller.ask('POST', offers, { token: null, body });
      await caller.ask('POST', offers, { type: 'text/plain', body });
      await caller.ask('POST', offers, { body: 'x'.repeat(65_537) });
      await caller.ask('POST', offers, { body: 'hello' });
      const { headers } = await caller.ask('POST', offers, { body });
      // One publisher, and one viewer.
      await caller.ask('POST', offers, { body });
      if (kind === 'whep')
        await until(async () => (await caller.ask('POST', offers, { flow: 'film', body })).status === 409);

      await caller.ask('DELETE', session, { flow: '%zz' });
      await caller.ask('DELETE', session, { token: null });
      await caller.ask('DELETE', session);
      const [id = ''] = headers.location?.split('/').slice(-1) ?? [];
      expect(await caller.ask('DELETE', session, { session: id })).toMatchObject({ status: 200, body: '{}' });
    }
    await bed.command({ type: 'stop_flow', flow_id: 'stage' });
    for (const { offers } of rtcPaths) await caller.ask('POST', offers, { body: 'v=0' });
    expect(source.frames).toBeGreaterThan(1);
    expect([...caller.seen].toSorted()).toEqual(document.promises('webrtc').toSorted());
  });
});
