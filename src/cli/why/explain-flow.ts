import type { FlowFacts, FlowStatsReport } from '../../edge/admin/flow-schemas.ts';
import { bitrateWords } from '../status/units.ts';
import { counted } from './counted.ts';
import { connectRemedy } from './connect-remedy.ts';
import { textOf } from './event-detail.ts';
import { explainInput } from './explain-flow-input.ts';
import { good, hasProblem, note, problem, type Finding } from './finding.ts';

type Output = FlowStatsReport['outputs'][number];

/** Explains a media flow of an edge from two snapshots, a moment apart. The most important finding comes first. */
export function explainFlow(before: FlowFacts, after: FlowFacts): readonly Finding[] {
  const { flow } = after;
  if (flow.problem !== null) {
    const remedy = 'free the address that it names, or choose another one; the edge tries again by itself';
    return [problem(`The flow does not run: ${flow.problem}.`, remedy)];
  }
  if (flow.state === 'Idle') {
    return [note('The flow is not running.', 'set enabled to true in the config, or start it in the manager')];
  }
  const findings = [
    ...explainInput(before, after),
    ...streamFindings(before.flow, flow),
    ...flow.outputs.flatMap((output) => outputFindings(before.flow, output, after)),
  ];
  const order = { problem: 0, note: 1, good: 2 } as const;
  return findings.toSorted((a, b) => order[a.level] - order[b.level]);
}

/** What is wrong with the transport stream itself. */
function streamFindings(before: FlowStatsReport, after: FlowStatsReport): Finding[] {
  const [earlier, now] = [before.tr101290?.['continuity_errors'] ?? 0, after.tr101290?.['continuity_errors'] ?? 0];
  const findings: Finding[] = [];
  if (now > earlier) {
    const text = `Packets of the stream are missing: ${now - earlier} continuity errors just now, ${now} in all.`;
    findings.push(problem(text, continuityRemedy(after)));
  } else if (now > 0) {
    findings.push(note(`The stream had ${now} continuity errors earlier, and has none now.`));
  }
  const filtered = (after.input?.packets_filtered ?? 0) - (before.input?.packets_filtered ?? 0);
  if (filtered > 0) {
    const left = `${counted(filtered, 'packet', ' that came in just now')} left out`;
    const text = `${left}: no MPEG-TS, or from a sender that is not let in.`;
    findings.push(problem(text, 'send MPEG-TS, bare or in RTP; for rtp look at allowed_sources and max_bitrate_mbps'));
  }
  return findings;
}

function continuityRemedy({ input }: FlowStatsReport): string {
  return input?.input_type === 'srt'
    ? 'raise latency_ms at both ends, or mend the path; a second leg (redundancy) covers what one loses'
    : 'the network in front of this edge loses them: SRT repairs that, plain UDP and RTP cannot';
}

function outputFindings(before: FlowStatsReport, output: Output, facts: FlowFacts): Finding[] {
  const { output_id: id } = output;
  const earlier = before.outputs.find((each) => each.output_id === id);
  const dropped = output.packets_dropped - (earlier?.packets_dropped ?? 0);
  const state = output.output_type === 'hls' ? hlsState(earlier, output) : outputState(output, facts);
  // What an output drops that has no receiver is explained by that.
  if (output.output_type === 'hls' || dropped <= 0 || hasProblem(state)) return state;
  const text = `Output '${id}' dropped ${dropped} packets just now: its receiver or the path takes less than comes in.`;
  const remedy = 'look at the path to the receiver; lower the bit rate, or raise max_bw and latency_ms';
  return [problem(text, remedy), ...state];
}

/** An HLS output leaves gaps; packets before the first key frame are not lost. */
function hlsState(before: Output | undefined, output: Output): Finding[] {
  const { output_id: id, state, remote_addr: url = '', last_problem: why, bitrate_bps: bitrate } = output;
  const missing = (output.segments_missing ?? 0) - (before?.segments_missing ?? 0);
  const reason = why === undefined ? '' : `: ${why}`;
  if (state === 'failed') return [problem(`Output '${id}' puts nothing to ${url}${reason}.`, hlsRemedy(why))];
  if (missing > 0) {
    return [problem(`${missing} segments of output '${id}' did not reach ${url} just now${reason}.`, hlsRemedy(why))];
  }
  return bitrate > 0 ? [good(`Output '${id}' puts ${bitrateWords(bitrate)} to ${url}.`)] : [];
}

function hlsRemedy(why = ''): string {
  if (/answered 40[13]/.test(why)) return 'give the output the auth_token that the server wants';
  if (/answered 4(04|10)/.test(why)) return 'check ingest_url: the server takes nothing there';
  if (why.startsWith('no key frame')) return 'set the encoder to a key frame every two seconds';
  return 'look at the server, and whether the path to it carries the bit rate';
}

function outputState(output: Output, { events }: FlowFacts): Finding[] {
  const { output_id: id, state, bitrate_bps: bitrate, local_addr: at } = output;
  if (state === 'connecting') {
    const last = events.findLast(({ details }) => details['output_id'] === id);
    const why = textOf(last?.details, 'error') ?? textOf(last?.details, 'reason') ?? 'no answer yet';
    return [problem(`Output '${id}' is not connected: ${why}.`, connectRemedy(why))];
  }
  if (state === 'listening' || (state === 'waiting' && output.output_type === 'webrtc')) {
    return [note(`Nobody takes output '${id}'${at === undefined ? '' : ` at ${at}`} now.`)];
  }
  if (state.startsWith('source ')) {
    const remedy = 'set the encoder to H.264 without B-frames (x264: -bf 0); nothing is transcoded here';
    return [problem(`Output '${id}' cannot be played in a browser: ${state}.`, remedy)];
  }
  return bitrate > 0 ? [good(`Output '${id}' sends ${bitrateWords(bitrate)}.`)] : [];
}
