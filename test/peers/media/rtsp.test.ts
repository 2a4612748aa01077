import { describe, expect, it } from 'vitest';
import { freeTcpPort } from '../../support/manager/free-tcp-port.ts';
import { checkStream } from '../../support/media/stream-check.ts';
import { pause } from '../../support/pause.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { startRtspPeer } from '../../support/peers/rtsp-peer.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const connected = /^RTSP connected to rtsp:/;
const disconnected = /^RTSP input disconnected: /;

function count(bed: FlowBed, message: RegExp): number {
  return bed.messages('cam').filter((each) => message.test(each)).length;
}

function tv(sink: LocalUdpSocket): Record<string, unknown> {
  return { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
}

describe('an RTSP input, with gst-rtsp-server', () => {
  it.each([
    ['TCP', 'tcp', []],
    ['UDP', 'udp', []],
    ['TCP with Digest', 'tcp', ['camera', 'a secret']],
  ])(
    'plays both tracks over %s, and reports the server once when it comes and goes',
    async (_name, transport, user) => {
      await using bed = await FlowBed.open();
      await using sink = await LocalUdpSocket.open();
      const port = await freeTcpPort();
      await using server = await startRtspPeer(port, ...user);
      const [username, password] = user;
      const login = username === undefined ? {} : { username, password };
      const rtsp = { type: 'rtsp', rtsp_url: `rtsp://127.0.0.1:${port}/live`, transport, reconnect_delay_secs: 1 };
      await bed.create({ id: 'cam', input: { ...rtsp, ...login }, outputs: [tv(sink)] });
      await until(() => count(bed, connected) === 1);
      await until(() => sink.received.length >= 500);
      const stream = checkStream(Buffer.concat(sink.received));
      expect(stream).toMatchObject({ continuityErrors: 0, syncErrors: 0, codecs: ['H.264', 'AAC'] });
      expect((await bed.running('cam')).input?.packets_lost).toBe(0);

      server.kill('SIGKILL');
      await until(() => count(bed, disconnected) === 1);
      await using _again = await startRtspPeer(port, ...user);
      await until(() => count(bed, connected) === 2);
      expect(bed.messages('cam')).toHaveLength(4);
      expect(JSON.stringify(bed.manager.events)).not.toContain('a secret');
    },
  );

  it('reports a server that stands still, and plays on when it goes on', async () => {
    await using bed = await FlowBed.open();
    const port = await freeTcpPort();
    await using server = await startRtspPeer(port);
    const rtsp = { type: 'rtsp', rtsp_url: `rtsp://127.0.0.1:${port}/live`, timeout_secs: 3, reconnect_delay_secs: 1 };
    await bed.create({ id: 'cam', input: rtsp });
    await until(() => count(bed, connected) === 1);
    await until(async () => ((await bed.flow('cam'))?.input?.packets_received ?? 0) > 100);
    server.kill('SIGSTOP');
    await until(() => count(bed, disconnected) === 1);
    server.kill('SIGCONT');
    await until(() => count(bed, connected) === 2);
    expect(count(bed, disconnected)).toBe(1);
  });

  it.each([
    ['a path that is not there', '/other', {}, /404/],
    ['a wrong password', '/live', { username: 'camera', password: 'wrong' }, /401|password|credentials|refused/i],
  ])('reports %s once, with the reason', async (_name, path, login, why) => {
    await using bed = await FlowBed.open();
    const port = await freeTcpPort();
    await using _server = await startRtspPeer(port, ...('password' in login ? ['camera', 'a secret'] : []));
    const rtsp = { type: 'rtsp', rtsp_url: `rtsp://127.0.0.1:${port}${path}`, reconnect_delay_secs: 1, ...login };
    await bed.create({ id: 'cam', input: rtsp });
    await until(() => count(bed, disconnected) === 1);
    expect(bed.messages('cam').at(-1)).toMatch(why);
    // It tries again, and raises nothing more.
    await until(async () => (await bed.flow('cam'))?.input?.state === 'connecting');
    await pause(2500);
    expect(bed.messages('cam')).toHaveLength(2);
  });
});
