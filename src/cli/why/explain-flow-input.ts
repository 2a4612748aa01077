import type { PastEvent } from '../../admin/past-event.ts';
import type { FlowFacts, FlowStatsReport } from '../../edge/admin/flow-schemas.ts';
import { bitrateWords } from '../status/units.ts';
import { connectRemedy } from './connect-remedy.ts';
import { textOf } from './event-detail.ts';
import { good, note, problem, type Finding } from './finding.ts';
import { agoWords, durationWords } from './time-words.ts';

type Input = NonNullable<FlowStatsReport['input']>;

/** Events about the state of the input's connection; the latest one holds. */
const connectionKinds = /^(srt|rtmp|rtsp|webrtc)-(connected|disconnected|failed)$/;

/** What is wrong with the input of a flow, or that it is well. */
export function explainInput(before: FlowFacts, after: FlowFacts): readonly Finding[] {
  const { input } = after.flow;
  if (input === null) return [note('The worker has not reported yet.', 'ask again in a second')];
  const grows = input.packets_received > (before.flow.input?.packets_received ?? 0);
  return [
    ...legFindings(input),
    ...(grows ? [good(`${bitrateWords(input.bitrate_bps)} come in.`)] : silence(after, input)),
  ];
}

function legFindings({ legs = [] }: Input): Finding[] {
  const isSilent = (secs: number | null): boolean => secs === null || secs >= 1;
  const silent = legs.filter(({ silent_secs: secs }) => isSilent(secs));
  // With both silent nothing comes in, for which there is a finding of its own.
  if (silent.length === legs.length) return [];
  return silent.map(({ leg, silent_secs: secs }) => {
    const text =
      secs === null
        ? `Leg ${leg} has never delivered; the flow runs on the other leg alone.`
        : `Leg ${leg} has been silent for ${durationWords(secs)}; the flow runs on the other leg alone.`;
    return problem(text, `look at the source and the path of leg ${leg}: a loss on the other one now shows`);
  });
}

/** Nothing comes in: why, as far as this edge knows. */
function silence({ events, at }: FlowFacts, input: Input): Finding[] {
  if (input.input_type === 'rtsp') return [noStream(input)];
  const last = events.findLast(({ kind, details }) => connectionKinds.test(kind) && details['output_id'] === undefined);
  const peer = input.input_type === 'srt' && input.mode === 'caller' ? 'The server' : 'The publisher';
  if (last === undefined) return [nobody(input)];
  if (last.kind.endsWith('-failed')) return [failure(last, at)];
  if (last.kind.endsWith('-disconnected')) {
    const text = `${peer} has stopped: it left at ${agoWords(last.at, at)}${reasonOf(last)}.`;
    return [problem(text, 'start it again: this end takes it back by itself')];
  }
  const remote = input.remote_addr === undefined ? '' : ` (${input.remote_addr})`;
  return [
    problem(`${peer} is connected${remote} and sends nothing.`, 'look at the encoder: it has no picture to send'),
  ];
}

/** An RTSP input dials by itself: why the latest attempt failed is all that is to be known. */
function noStream({ rtsp_url: url = '', last_problem: why }: Input): Finding {
  if (why === undefined) return problem(`The server of ${url} plays and sends nothing.`, 'look at the camera');
  return problem(`There is no stream from ${url}: ${why}.`, connectRemedy(why));
}

/** Of inputs that know no connection, or have not had one yet. */
function nobody(input: Input): Finding {
  if (input.last_problem !== undefined) {
    const text = `A publisher was not let in: ${input.last_problem}.`;
    return problem(text, connectRemedy(input.last_problem));
  }
  const where = input.local_addr ?? input.listen_addr ?? input.rtsp_url ?? input.whep_url ?? 'this edge';
  if (input.packets_received > 0) {
    return problem(`The publisher has stopped: nothing comes to ${where} any more.`, 'look at the device that sends');
  }
  const remedy = 'point the device there, and let its packets in: address, port, firewall, multicast interface';
  return problem(`Nothing has ever come to ${where}.`, remedy);
}

function failure({ at: since, details, message }: PastEvent, now: string): Finding {
  const why = textOf(details, 'error') ?? message;
  const remote = textOf(details, 'remote_addr');
  const who = remote === undefined ? '' : ` with ${remote}`;
  const text = `The input is not connected. The last attempt${who} failed at ${agoWords(since, now)}: ${why}.`;
  return problem(text, connectRemedy(why));
}

const reasonWords: Readonly<Record<string, string>> = {
  shutdown: 'it ended the connection',
  idle: 'it fell silent without a word',
  stale: 'it acknowledged nothing any more',
};

function reasonOf({ details }: PastEvent): string {
  const reason = textOf(details, 'reason');
  return reason === undefined ? '' : ` (${reasonWords[reason] ?? reason})`;
}
