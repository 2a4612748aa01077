import { request } from 'node:http';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };
const sdpType = { 'content-type': 'application/sdp' };

function whepServer(id: string, changes: object = {}): Record<string, unknown> {
  return { id, name: id, type: 'webrtc', mode: 'whep_server', ...changes };
}

/** Audio alone: there is no picture that could be sent. */
const offerWithoutVideo = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

/** H.264, and nothing of what ICE and DTLS need. */
const offerWithoutIce = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 packetization-mode=1;profile-level-id=42e01f',
  '',
].join('\r\n');

describe('the WHIP and WHEP endpoints of an edge', () => {
  it('answer a page of any origin, and say what they take', async () => {
    await using bed = await FlowBed.open();
    await bed.create({ id: 'main', input: udpIn, outputs: [whepServer('web')] });
    for (const path of ['whip', 'whep', 'whep/web']) {
      const preflight = await fetch(`${bed.url}/api/v1/flows/main/${path}`, { method: 'OPTIONS' });
      expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
      expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
      expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
      expect(preflight.headers.get('access-control-expose-headers')).toContain('location');
      for (const method of ['PATCH', 'GET', 'PUT']) {
        const other = await fetch(`${bed.url}/api/v1/flows/main/${path}`, { method });
        expect([method, other.status, other.headers.get('allow')]).toEqual([method, 405, 'POST, OPTIONS']);
      }
    }
  });

  it('refuse what they cannot use, each with its status and words that say why', async () => {
    await using bed = await FlowBed.open();
    await bed.create({
      id: 'main',
      input: udpIn,
      outputs: [whepServer('web'), whepServer('vip', { bearer_token: 'vip' })],
    });
    const post = async (path: string, body: string, headers: Record<string, string> = sdpType) => {
      const answer = await fetch(`${bed.url}/api/v1/flows/${path}`, { method: 'POST', body, headers });
      return [answer.status, ((await answer.json()) as { error: string }).error];
    };
    expect(await post('none/whep', 'v=0')).toEqual([404, "Flow 'none' has no WHEP endpoint here"]);
    expect(await post('main/whip', 'v=0')).toEqual([404, "Flow 'main' has no WHIP endpoint here"]);
    expect(await post('main/whep/other', 'v=0')).toEqual([404, "Flow 'main' has no WHEP endpoint here"]);
    expect(await post('main/whep/vip', 'v=0')).toEqual([401, 'a valid bearer token is needed']);
    expect(await post('main/whep', 'v=0', { 'content-type': 'text/plain' })).toEqual([
      415,
      'send the offer as application/sdp',
    ]);
    expect(await post('main/whep', 'hello')).toEqual([400, 'the offer is not SDP']);
    expect(await post('main/whep', 'v=0')).toEqual([400, 'the offer is not SDP']);
    expect(await post('main/whep', offerWithoutVideo)).toEqual([400, 'no common codec: the viewer takes no H.264']);
    expect(await post('main/whep', 'x'.repeat(65_537))).toEqual([413, 'the offer is larger than 65536 bytes']);
    const [status, error] = await post('main/whep', offerWithoutIce);
    expect(status).toBe(400);
    expect(error).toMatch(/^the offer cannot be used: /);
    const gone = await fetch(`${bed.url}/api/v1/flows/main/whep/session/${'0'.repeat(32)}`, { method: 'DELETE' });
    expect(gone.status).toBe(404);

    await bed.command({ type: 'stop_flow', flow_id: 'main' });
    expect(await post('main/whep', offerWithoutVideo)).toEqual([503, 'the flow does not run']);
  });

  it('do not read an offer without end, and say the same failure once a minute', async () => {
    await using bed = await FlowBed.open();
    await bed.create({ id: 'main', input: udpIn, outputs: [whepServer('web')] });
    const sent = request(`${bed.url}/api/v1/flows/main/whep`, { method: 'POST', headers: sdpType });
    sent.on('error', () => undefined);
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    for (let part = 0; part < 64 && !sent.destroyed; part++) sent.write('x'.repeat(16_384));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(413);
    sent.destroy();

    for (let time = 0; time < 20; time++) {
      await fetch(`${bed.url}/api/v1/flows/main/whep`, { method: 'POST', headers: sdpType, body: 'hello' });
    }
    await bed.event('main', 'WebRTC session creation failed: the offer is not SDP');
    await until(async () => (await bed.flow('main'))?.state === 'Running');
    expect(bed.messages('main')).toHaveLength(2);
  });
});
