import { describe, expect, test } from 'vitest';
import { isVideo, type MediaUnit } from '../../../src/media/codec/media-unit.ts';
import { MediaBed } from '../../support/media/media-bed.ts';
import { aacFrame, picture } from '../../support/media/media-samples.ts';
import { RtspServer } from '../../support/media/rtsp-server.ts';
import { until } from '../../support/until.ts';

const units: readonly MediaUnit[] = Array.from({ length: 20 }, (_, index) => [
  picture('h264', index * 3600, index % 10 === 0, 2000),
  aacFrame(index * 3600),
]).flat();

function input(server: RtspServer, changes: object = {}): object {
  return { type: 'rtsp', rtsp_url: `rtsp://127.0.0.1:${server.port}/s`, reconnect_delay_secs: 1, ...changes };
}

describe('an RTSP input', () => {
  test.each(['tcp', 'udp'])('carries every picture and all sound of a server over %s', async (transport) => {
    await using server = await RtspServer.start({ units });
    await using bed = await MediaBed.start(input(server, { transport }));
    await bed.says(`RTSP connected to rtsp://127.0.0.1:${server.port}/s`);
    await until(() => bed.units.length >= units.length);
    expect(bed.units.filter(isVideo).map(({ nals }) => nals)).toEqual(units.filter(isVideo).map(({ nals }) => nals));
  });

  test.each(['digest', 'basic'] as const)('proves itself with %s, and never shows the password', async (auth) => {
    await using server = await RtspServer.start({ units, auth });
    const rtspUrl = `rtsp://cam:secret%20pass@127.0.0.1:${server.port}/s`;
    await using bed = await MediaBed.start(input(server, { rtsp_url: rtspUrl }));
    await bed.says(`RTSP connected to rtsp://127.0.0.1:${server.port}/s`);
    const report = await bed.reports(({ input: { state } }) => state === 'playing');
    expect(JSON.stringify([report, bed.details])).not.toContain('secret');
  });

  test('reports once that the password is wrong, and goes on trying', async () => {
    await using server = await RtspServer.start({ auth: 'digest' });
    await using bed = await MediaBed.start(input(server, { username: 'cam', password: 'nope' }));
    await bed.says('RTSP input disconnected: the user name or the password is wrong. Reconnecting in 1s');
    await until(() => server.requests.filter((line) => line.startsWith('DESCRIBE')).length >= 4);
    expect(bed.messages).toHaveLength(1);
    expect(JSON.stringify(bed.details)).not.toContain('nope');
  });

  test('reports one loss and one connection for each cycle, with what lay between', async () => {
    await using server = await RtspServer.start({ units });
    await using bed = await MediaBed.start(input(server));
    const connected = `RTSP connected to rtsp://127.0.0.1:${server.port}/s`;
    await bed.says(connected);
    server.drop();
    await until(() => bed.messages.length === 3);
    expect(bed.messages[1]).toMatch(/^RTSP input disconnected: .*\. Reconnecting in 1s$/);
    expect(bed.messages[2]).toBe(connected);
    expect(bed.details[2]).toMatchObject({ attempts: 1 });
  });

  test('dials until a server is there, and speaks of it once', async () => {
    const gone = await RtspServer.start({ units });
    const { port } = gone;
    const settings = input(gone);
    await gone[Symbol.asyncDispose]();
    await using bed = await MediaBed.start(settings);
    await until(() => bed.messages.length === 1);
    expect(bed.messages[0]).toMatch(/ECONNREFUSED.*Reconnecting in 1s$/);
    await using server = await RtspServer.start({ units }, port);
    await bed.says(`RTSP connected to rtsp://127.0.0.1:${server.port}/s`);
    expect(bed.messages).toHaveLength(2);
  });

  test('loses a server that says nothing, and one that plays nothing', async () => {
    await using silent = await RtspServer.start({ answer: () => null });
    await using bed = await MediaBed.start(input(silent, { timeout_secs: 2 }));
    await bed.says('RTSP input disconnected: no answer for 2 s. Reconnecting in 1s');
    await using idle = await RtspServer.start({ units: [] });
    await using other = await MediaBed.start(input(idle, { timeout_secs: 2 }));
    await other.says('RTSP input disconnected: no media for 2 s. Reconnecting in 1s');
  });

  test('says goodbye when its flow is stopped, and raises nothing', async () => {
    await using server = await RtspServer.start({ units });
    await using bed = await MediaBed.start(input(server));
    await until(() => bed.messages.length === 1);
    await bed.stopFlow();
    await until(() => server.requests.some((line) => line.startsWith('TEARDOWN')));
    expect(bed.messages).toHaveLength(1);
  });
});
