import { describe, expect, it } from 'vitest';
import { Admission, type AdmissionSettings } from '../../../../src/relay/reception/admission.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

const settings: AdmissionSettings = {
  maxConnections: 100,
  maxConnectionsPerIp: 3,
  acceptRatePerIpPerSec: 0,
  acceptBurstPerIp: 1,
  capRefusalsPerSec: 2,
  alwaysRetry: false,
};

class Bed {
  readonly clock = new ManualClock();
  readonly admission: Admission;
  #port = 1000;

  constructor(overrides: Partial<AdmissionSettings> = {}) {
    this.admission = new Admission(this.clock, { ...settings, ...overrides });
  }

  attempt(ip: string, validated = false): { decision: string; remote: { ip: string; port: number } } {
    const remote = { ip, port: this.#port++ };
    return { decision: this.admission.decide({ remote, validated }).decision, remote };
  }

  /** A connection that is admitted; the key to close it with. */
  connect(ip: string): string {
    const admittance = this.admission.established(this.attempt(ip, true).remote);
    if (admittance.kind !== 'admitted') throw new Error(`not admitted: ${ip}`);
    return admittance.source;
  }
}

describe('admission', () => {
  it('counts a source by address, and an IPv6 one by its /64', () => {
    const bed = new Bed();
    for (let n = 1; n <= 3; n++) bed.connect(`2001:db8::${n}`);
    bed.connect('2001:db8:0:1::1');
    expect(bed.admission.decide({ remote: { ip: '2001:db8::9', port: 1 }, validated: true }).overCap).toBe(3);
  });

  it('completes a few refusals a second to tell why, and refuses the rest at once', () => {
    const bed = new Bed();
    for (let n = 0; n < 3; n++) bed.connect('192.0.2.1');
    const attempts = Array.from({ length: 4 }, () => bed.attempt('192.0.2.1'));
    expect(attempts.map(({ decision }) => decision)).toEqual(['accept', 'accept', 'refuse', 'refuse']);
    const [first] = attempts;
    expect(first && bed.admission.established(first.remote)).toEqual({ kind: 'over-cap', active: 3 });
    bed.clock.advance(500);
    expect(bed.attempt('192.0.2.1').decision).toBe('accept');
  });

  it('holds sources that it knows to new settings at once', () => {
    const bed = new Bed({ acceptRatePerIpPerSec: 100, acceptBurstPerIp: 100 });
    bed.connect('192.0.2.1');
    bed.admission.setSettings({ ...settings, acceptRatePerIpPerSec: 1, acceptBurstPerIp: 1 });
    const decisions = [1, 2].map(() => bed.attempt('192.0.2.1', true).decision);
    expect(decisions).toEqual(['accept', 'refuse']);
  });

  it('gives a place back when its connection ends', () => {
    const bed = new Bed();
    const [key] = [bed.connect('192.0.2.1'), bed.connect('192.0.2.1'), bed.connect('192.0.2.1')];
    bed.admission.closed(key);
    expect(bed.attempt('192.0.2.1').decision).toBe('accept');
    expect(bed.admission.activeConnections).toBe(2);
  });

  it('asks for proof of the address when many handshakes claim it, and lets the proved one in', () => {
    const bed = new Bed();
    for (let n = 0; n < 3; n++) expect(bed.attempt('192.0.2.1').decision).toBe('accept');
    expect(bed.attempt('192.0.2.1').decision).toBe('retry');
    expect(bed.attempt('192.0.2.1', true).decision).toBe('accept');
  });

  it('frees what a failed handshake held', () => {
    const bed = new Bed({ maxConnections: 1 });
    const { remote } = bed.attempt('192.0.2.1');
    expect([bed.admission.isOpen(), bed.attempt('192.0.2.2').decision]).toEqual([false, 'refuse']);
    bed.admission.failed(remote);
    bed.admission.failed(remote);
    expect([bed.admission.isOpen(), bed.attempt('192.0.2.2').decision]).toEqual([true, 'accept']);
  });

  it('counts each of several handshakes from one port towards all caps', () => {
    const bed = new Bed({ maxConnections: 2, maxConnectionsPerIp: 50 });
    const remote = { ip: '192.0.2.1', port: 4433 };
    const decide = (): string => bed.admission.decide({ remote, validated: false }).decision;
    expect([1, 2, 3].map(decide)).toEqual(['accept', 'accept', 'refuse']);
    bed.admission.failed(remote);
    expect([bed.admission.isOpen(), decide(), decide()]).toEqual([true, 'accept', 'refuse']);
    for (let n = 0; n < 2; n++) expect(bed.admission.established(remote).kind).toBe('admitted');
    expect([bed.admission.activeConnections, bed.admission.isOpen()]).toEqual([2, false]);
  });

  it('limits the rate of each source, and a spoofed flood does not use up the rate of the owner', () => {
    const bed = new Bed({ acceptRatePerIpPerSec: 1, acceptBurstPerIp: 2, maxConnectionsPerIp: 50 });
    const flood = Array.from({ length: 4 }, () => bed.attempt('192.0.2.1').decision);
    expect(flood).toEqual(['accept', 'accept', 'retry', 'retry']);
    expect(bed.attempt('192.0.2.2').decision).toBe('accept');
    const proved = Array.from({ length: 3 }, () => bed.attempt('192.0.2.1', true).decision);
    expect(proved).toEqual(['accept', 'accept', 'refuse']);
    bed.clock.advance(1000);
    expect(bed.attempt('192.0.2.1', true).decision).toBe('accept');
  });

  it('asks everyone for a Retry when told to', () => {
    const bed = new Bed({ alwaysRetry: true });
    expect([bed.attempt('192.0.2.1').decision, bed.attempt('192.0.2.1', true).decision]).toEqual(['retry', 'accept']);
  });

  it('refuses all once it is stopped', () => {
    const bed = new Bed();
    bed.admission.stop();
    expect([bed.attempt('192.0.2.1').decision, bed.admission.isOpen()]).toEqual(['refuse', false]);
  });

  it('forgets sources of which nothing is left, and no others', () => {
    const bed = new Bed({ acceptRatePerIpPerSec: 1, acceptBurstPerIp: 2 });
    const kept = bed.connect('192.0.2.1');
    bed.admission.closed(bed.connect('192.0.2.2'));
    bed.clock.advance(60_000);
    bed.admission.sweep();
    bed.admission.closed(kept);
    bed.admission.closed(kept);
    expect(bed.admission.activeConnections).toBe(0);
    expect(bed.attempt('192.0.2.2').decision).toBe('accept');
  });
});
