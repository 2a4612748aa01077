import { describe, expect, it } from 'vitest';
import { parseLoadgen } from '../../../bench/figures/loadgen-output.ts';

describe("loadgen's output", () => {
  it('gives the numbers of a flow of datagrams', () => {
    const values = parseLoadgen(
      'udp tunnels=10 size=1376 sent=50000 pps=9997 got=50000 loss=0.000% relay_cpu_us/dgram=23.26 relay_cpu=23% own_cpu=27% rss=10MB p50=213 p99=1348 p99.9=4304 us\n',
    );
    expect(values.get('relay_cpu_us/dgram')).toBe(23.26);
    expect(values.get('loss')).toBe(0);
    expect([values.get('p50'), values.get('p99'), values.get('p99.9')]).toEqual([213, 1348, 4304]);
  });

  it('gives the numbers of streams and handshakes', () => {
    const streams = parseLoadgen(
      'tcp streams=64 mb=500 MB/s=124.7 relay_cpu_s/GB=4.40 relay_cpu=55% own_cpu_s/GB=3.80',
    );
    expect([streams.get('MB/s'), streams.get('relay_cpu_s/GB')]).toEqual([124.7, 4.4]);
    const handshakes = parseLoadgen('handshakes n=2000 failed=0 per_s=1344 relay_cpu_ms=0.56 own_cpu_ms=0.61');
    expect([handshakes.get('per_s'), handshakes.get('relay_cpu_ms')]).toEqual([1344, 0.56]);
  });

  it('gives the sums behind idle legs, the last of each', () => {
    const values = parseLoadgen(
      'setup tunnels=500 in 2.4s relay_cpu_ms/leg=0.98 rss 84 -> 132 MB = 48.4 KB/leg\n' +
        'idle alive=500/500 relay_cpu=2.68% = 26.8 us/leg/s rss=132MB = 48.6 KB/leg\n',
    );
    expect(values.get('KB/leg')).toBe(48.6);
    expect(values.get('us/leg/s')).toBe(26.8);
  });

  it('has no number where loadgen had none', () => {
    expect(parseLoadgen('udp sent=0 relay_cpu_us/dgram=NaN').has('relay_cpu_us/dgram')).toBe(false);
  });
});
