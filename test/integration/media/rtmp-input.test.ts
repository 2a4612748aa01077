import { describe, expect, test } from 'vitest';
import { isVideo, type MediaUnit } from '../../../src/media/codec/media-unit.ts';
import { TsAnalysis } from '../../../src/media/mpegts/ts-analysis.ts';
import { MediaBed } from '../../support/media/media-bed.ts';
import { aacFrame, picture } from '../../support/media/media-samples.ts';
import {
  rtmpCommand,
  rtmpConfigs,
  rtmpGreeting,
  RtmpPublisher,
  rtmpSetup,
  rtmpUnit,
} from '../../support/media/rtmp-publisher.ts';
import { until } from '../../support/until.ts';

const input = { type: 'rtmp', listen_addr: '127.0.0.1:0', stream_key: 'key' };
const portionUnits = 20;

function film(pictures: number): MediaUnit[] {
  return Array.from({ length: pictures }, (_, index) => [
    picture('h264', index * 3600, index % 10 === 0, 2000),
    aacFrame(index * 3600),
  ]).flat();
}

async function portOf(bed: MediaBed): Promise<number> {
  const { input: state } = await bed.reports(({ input: { listen_addr: address } }) => address !== '');
  return Number(state.listen_addr?.split(':')[1]);
}

async function publish(port: number, key = 'key'): Promise<RtmpPublisher> {
  const publisher = await RtmpPublisher.dial(port);
  publisher.send(rtmpGreeting, rtmpSetup('live', key));
  return publisher;
}

/** Sends in portions that a socket buffer holds: all at once, the UDP output would overrun a receiver that is slow. */
async function sendInPortions(publisher: RtmpPublisher, bed: MediaBed, units: readonly MediaUnit[]): Promise<void> {
  for (let at = 0; at < units.length; at += portionUnits) {
    const portion = units.slice(at, at + portionUnits);
    const wanted = bed.units.length + portion.length;
    publisher.send(...portion.map(rtmpUnit));
    await until(() => bed.units.length >= wanted, { what: `${wanted} units, not ${bed.units.length}` });
  }
}

describe('an RTMP input', () => {
  test('carries every picture and all sound of a publisher into the transport stream', async () => {
    await using bed = await MediaBed.start(input);
    await using publisher = await publish(await portOf(bed));
    publisher.send(rtmpConfigs());
    await sendInPortions(publisher, bed, film(50));
    await bed.says('RTMP publisher connected');
    const analysis = new TsAnalysis();
    analysis.push(0, bed.stream);
    expect(analysis.counters.continuity_errors).toBe(0);
    expect(bed.units).toHaveLength(100);
    expect(bed.units.filter(isVideo).map(({ nals }) => nals)).toEqual(
      film(50)
        .filter(isVideo)
        .map(({ nals }) => nals),
    );
    publisher.send(rtmpCommand('deleteStream', 6, null, 1));
    await bed.says('RTMP publisher disconnected');
    await publisher.closed;
    expect(bed.messages).toEqual(['RTMP publisher connected', 'RTMP publisher disconnected']);
    expect(bed.details[1]).toMatchObject({ reason: 'the publisher has stopped' });
  });

  test('goes on with its time line when the next publisher begins at zero', async () => {
    await using bed = await MediaBed.start(input);
    const port = await portOf(bed);
    for (let turn = 0; turn < 2; turn++) {
      await using publisher = await publish(port);
      publisher.send(rtmpConfigs());
      await sendInPortions(publisher, bed, film(10));
    }
    const times = bed.units.filter(isVideo).map(({ dts }) => dts);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
  });

  test('refuses a wrong key and a second publisher, says so in its state, and raises no event for them', async () => {
    await using bed = await MediaBed.start(input);
    const port = await portOf(bed);
    await using wrong = await publish(port, 'nope');
    await wrong.closed;
    expect(wrong.received.toString('latin1')).toContain('NetStream.Publish.BadName');
    await bed.reports(
      ({ input: { refused, last_problem: problem } }) => refused === 1 && problem === 'the stream key is wrong',
    );
    await using first = await publish(port);
    first.send(rtmpConfigs(), ...film(1).map(rtmpUnit));
    await bed.says('RTMP publisher connected');
    await using second = await publish(port);
    await second.closed;
    await bed.reports(({ input: { refused } }) => refused === 2);
    expect(bed.messages).toEqual(['RTMP publisher connected']);
  });

  test('gives its place to a new publisher when the first has been silent for a second', async () => {
    await using bed = await MediaBed.start(input);
    const port = await portOf(bed);
    await using first = await publish(port);
    first.send(rtmpConfigs(), ...film(1).map(rtmpUnit));
    await bed.says('RTMP publisher connected');
    await until(async () => {
      await using second = await publish(port);
      second.send(rtmpConfigs(), ...film(1).map(rtmpUnit));
      await Promise.race([second.closed, until(() => bed.messages.length >= 3).catch(() => undefined)]);
      return bed.messages.length >= 3;
    });
    expect(bed.messages.slice(0, 3)).toEqual([
      'RTMP publisher connected',
      'RTMP publisher disconnected',
      'RTMP publisher connected',
    ]);
  });

  test('reports a publisher that stalls, once', async () => {
    await using bed = await MediaBed.start({ ...input, stall_timeout_secs: 2 });
    await using publisher = await publish(await portOf(bed));
    publisher.send(rtmpConfigs());
    await bed.says('RTMP publisher disconnected');
    expect(bed.details[1]).toMatchObject({ reason: 'nothing for 2 s' });
    expect(bed.messages).toHaveLength(2);
  });

  test('reports once that idle connections have all places, and counts who was turned away', async () => {
    await using bed = await MediaBed.start(input);
    const port = await portOf(bed);
    await using idle = new AsyncDisposableStack();
    for (let place = 0; place < 16; place++) idle.use(await RtmpPublisher.dial(port));
    for (let turn = 1; turn <= 2; turn++) {
      await using late = await RtmpPublisher.dial(port);
      await late.closed;
    }
    await bed.reports(
      ({ input: { refused, last_problem: problem } }) => refused === 2 && problem === 'all 16 connections are taken',
    );
    expect(bed.messages).toEqual(['RTMP server error: all 16 connections are taken']);
  });

  test('does not start where its port is taken, and reports which', async () => {
    await using bed = await MediaBed.start(input);
    const port = String(await portOf(bed));
    const again = MediaBed.start({ ...input, listen_addr: `127.0.0.1:${port}` });
    await expect(again).rejects.toThrow(`cannot listen on TCP 127.0.0.1:${port}`);
  });

  test('raises nothing when its flow is stopped, and its port is free again', async () => {
    await using bed = await MediaBed.start(input);
    const port = await portOf(bed);
    await using publisher = await publish(port);
    publisher.send(rtmpConfigs());
    await bed.says('RTMP publisher connected');
    await bed.stopFlow();
    await publisher.closed;
    expect(bed.messages).toHaveLength(1);
    await using again = await MediaBed.start({ ...input, listen_addr: `127.0.0.1:${port}` });
    expect(await portOf(again)).toBe(port);
  });
});
