import { describe, expect, it } from 'vitest';
import { DropWatch } from '../../../../src/relay/forwarding/drop-watch.ts';
import type { RelayEvent } from '../../../../src/relay/events/relay-event.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { MemoryLedger } from '../../../support/fakes/memory-ledger.ts';

const tunnelId = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');

class Bed {
  readonly clock = new ManualClock();
  readonly events: RelayEvent[] = [];
  ingress = new MemoryLedger();
  readonly egress = new MemoryLedger();
  readonly watch = new DropWatch(this.clock, { emit: (event) => this.events.push(event) });

  look(): void {
    this.clock.advance(1000);
    this.watch.poll([[tunnelId, { ingress: this.ingress, egress: this.egress }]]);
  }
}

describe('the drop watch', () => {
  it('tells of drops within a second, by reason and by the leg that sent them', () => {
    const bed = new Bed();
    bed.look();
    bed.egress.drop('too_large');
    bed.egress.drop('too_large');
    bed.ingress.drop('no_peer');
    bed.look();
    expect(bed.events).toEqual([
      { kind: 'datagrams-dropped', tunnelId, reason: 'no_peer', ingress: 1, egress: 0, windowSecs: 2 },
      { kind: 'datagrams-dropped', tunnelId, reason: 'too_large', ingress: 0, egress: 2, windowSecs: 2 },
    ]);
  });

  it('S4 reports at most once a minute while they go on, with what was added since', () => {
    const bed = new Bed();
    for (let second = 0; second < 121; second++) {
      bed.egress.drop('too_large');
      bed.look();
    }
    expect(bed.events).toMatchObject([{ egress: 1 }, { egress: 60, windowSecs: 60 }, { egress: 60, windowSecs: 60 }]);
  });

  it('says nothing while nothing is dropped', () => {
    const bed = new Bed();
    bed.egress.drop('expired');
    for (let second = 0; second < 200; second++) bed.look();
    expect(bed.events).toHaveLength(1);
  });

  it('starts anew with a tunnel that went and came back', () => {
    const bed = new Bed();
    bed.egress.drop('no_peer');
    bed.look();
    bed.watch.poll([]);
    bed.look();
    expect(bed.events).toHaveLength(2);
  });

  it('starts anew with a tunnel that went and came back between two looks', () => {
    const bed = new Bed();
    for (let n = 0; n < 5; n++) bed.ingress.drop('no_peer');
    bed.look();
    bed.ingress = new MemoryLedger();
    bed.ingress.drop('no_peer');
    bed.look();
    expect(bed.events).toMatchObject([{ ingress: 5 }, { ingress: 1 }]);
  });
});
