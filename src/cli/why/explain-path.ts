import type { PathReport } from '../../admin/path-report.ts';
import { note, problem, type Finding } from './finding.ts';

/** A path at two times, the later one last. */
export interface PathSamples {
  /** As a sentence begins with it, such as `the ingress leg (camera, 198.51.100.4:40000)`. */
  readonly name: string;
  readonly before: PathReport | null;
  readonly after: PathReport;
}

interface Loss {
  readonly sent: number;
  readonly lost: number;
  /** 0 where too few were sent to say. */
  readonly share: number;
}

/** Fewer packets prove nothing by themselves; then the whole connection says how much. */
const fewestPackets = 200;
const badLoss = 0.01;
/** Round trips that a viewer of live media notices. */
const slowMs = 150;
/** A round trip this far above the shortest one seen is time spent in queues. */
const queueingMs = 100;

/** What is wrong with the way to one peer; nothing when all is well. */
export function explainPath(samples: PathSamples): readonly Finding[] {
  return [...loss(samples), ...delay(samples)];
}

/** What was lost earlier explains nothing that happens now: it is a note. */
function loss({ name, before, after }: PathSamples): Finding[] {
  const sample = lossBetween(before, after);
  const { share } = sample.sent < fewestPackets ? lossBetween(null, after) : sample;
  if (share < badLoss) return [];
  const percent = `${(share * 100).toFixed(1)} %`;
  if (sample.lost === 0) {
    return [note(`${name} has lost packets earlier: ${percent} of all that was sent to it, and none just now.`)];
  }
  return [
    problem(
      `${name} is losing packets: ${percent} of what is sent to it does not arrive.`,
      'look at the network at that end (Wi-Fi, mobile, an overloaded uplink); a lower bit rate helps when it is full',
    ),
  ];
}

function lossBetween(before: PathReport | null, after: PathReport): Loss {
  const sent = (after.packets_sent ?? 0) - (before?.packets_sent ?? 0);
  const lost = (after.packets_lost ?? 0) - (before?.packets_lost ?? 0);
  return { sent, lost, share: sent < fewestPackets ? 0 : lost / sent };
}

function delay({ name, after }: PathSamples): Finding[] {
  const { rtt_ms: rtt, min_rtt_ms: shortest } = after;
  if (rtt === null) return [];
  const roundTrip = `${Math.round(rtt)} ms`;
  if (shortest !== null && rtt - shortest > queueingMs) {
    const text =
      `${name} is the slow one: packets wait in queues on its way (round trip ${roundTrip}, at best ` +
      `${Math.round(shortest)} ms).`;
    return [problem(text, 'more is sent than that path carries: lower the bit rate, or free the uplink at that end')];
  }
  if (rtt < slowMs) return [];
  if (shortest === null) {
    const text = `${name} is slow: a round trip to it takes ${roundTrip}.`;
    const remedy =
      'if it is that slow only under load, lower the bit rate; if always, a relay nearer to both edges helps';
    return [note(text, remedy)];
  }
  return [note(`${name} is far away: a round trip to it takes ${roundTrip}.`, 'a relay nearer to both edges helps')];
}
