import { OtherMachine } from '../network/other-machine.ts';
import { pause } from '../pause.ts';
import type { Situation } from './situation.ts';

/** A fifth of a core: it runs for 300 ms of each 1.5 s. */
const runsMs = 300;
const standsMs = 1200;
const turns = 4;

/** What is wrong between the programs, or with a machine. */
export const situationsOfPaths: readonly Situation[] = [
  {
    title: 'the path to the ingress edge loses 8 % of all packets',
    rows: ['is losing packets'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ faults: { lossRate: 0.08 } });
      await bed.sends(1000, 400);
    },
    says: [
      {
        at: 'relay',
        cause: /^The ingress leg \(studio, .*\) is losing packets: \d/,
        remedy: /^look at the network at that end/,
      },
    ],
  },
  {
    title: 'more is sent than the path to the ingress edge carries',
    rows: ['is the slow one'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ faults: { bytesPerSecond: 60_000, delayMs: 5 } });
      await bed.sends(1000, 200);
    },
    says: [
      {
        at: 'relay',
        cause: /^The ingress leg \(studio, .*\) is (the slow one|losing)|more is sent than the ingress leg carries/,
        remedy: /lower (the )?bit rate/,
      },
    ],
  },
  {
    title: 'more is sent than the uplink of the egress edge carries',
    rows: ['dropped just now: queue_full, expired, congestion'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ faulty: 'egress', faults: { bytesPerSecond: 60_000, delayMs: 5 } });
      await bed.sends(1000, 200);
    },
    says: [
      {
        at: 'egress',
        cause: /is (the slow one|slow|losing)|were dropped just now .*(queue_full|expired|congestion)\)/,
        remedy: /lower (the )?bit rate/,
      },
    ],
  },
  {
    title: 'a local program sends while the other edge is away',
    rows: ['dropped just now: no_peer'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ ingress: null });
      await bed.sends(1000, 50);
    },
    says: [
      {
        at: 'egress',
        cause: /^The relay has our leg, and the ingress edge is not there\.$/,
        remedy: /^start the ingress edge; if it runs/,
      },
    ],
  },
  {
    title: 'the datagrams of the local program are too large',
    rows: ['dropped just now: too_large'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel();
      await bed.isUp();
      await bed.sends(1500, 100);
    },
    says: [
      {
        at: 'egress',
        cause: /were dropped just now .*too_large\)/,
        remedy: /^send smaller datagrams: at most 1[34]\d\d bytes/,
      },
    ],
  },
  {
    title: 'the path has an MTU of 1420, and no video has been sent yet',
    rows: ['the path to … is narrow'],
    isQuick: false,
    needsRoot: true,
    async cause(bed) {
      const machine = bed.use(OtherMachine.start());
      machine.setMtu(1420);
      await bed.relay({ config: { quic_addrs: [`${machine.here}:0`] } });
      await Promise.all([bed.edge('egress', { machine }), bed.edge('ingress')]);
    },
    says: [
      {
        at: 'egress',
        level: 'note',
        cause: /^The path to .* is narrow: at most 1\d\d\d bytes/,
        remedy: /^set pkt_size .* to 1128/,
      },
    ],
  },
  {
    title: 'large packets vanish on the way to the ingress edge, and nobody says so (MTU black hole)',
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ faults: {} });
      await bed.isUp();
      await bed.sends(1316, 200);
      await pause(2000);
      bed.network.set({ largestPayload: 1300 });
    },
    says: [
      {
        at: 'relay',
        cause: /were dropped just now .*too_large\): they do not fit a packet to the ingress edge/,
        remedy: /^send smaller/,
      },
    ],
  },
  {
    title: 'the kernel grants smaller UDP buffers than the relay asks for',
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ relay: { limits: { socket_buffer_bytes: 256 * 1024 * 1024 } } });
    },
    says: [
      {
        at: 'relay',
        level: 'note',
        cause: /UDP buffers of \d+ bytes where \d+ were asked/,
        remedy: /sysctl -w net\.core/,
      },
    ],
  },
  {
    title: 'the machine of the relay is short of CPU',
    rows: ['this machine does not keep up, is short of CPU'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel();
      await bed.isUp();
      for (let turn = 0; turn < turns; turn++) {
        bed.stopRelay();
        await pause(standsMs);
        bed.continueRelay();
        await pause(runsMs);
      }
    },
    says: [{ at: 'relay', cause: /^This machine does not keep up: /, remedy: /^free CPU here/ }],
  },
];
