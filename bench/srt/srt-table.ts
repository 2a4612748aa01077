import type { SrtCell } from './srt-order.ts';
import type { SrtOutcome } from './srt-trial.ts';
import type { TsCount } from './ts-tally.ts';

/** Ways end at slightly different moments; less than this share of the bare path's packets is loss. */
const leastShare = 0.995;

/** Up to this loss, in percent, SRT repairs everything within its latency: no error is allowed. */
const repairedPercent = 2;

/** A line for each tunnel that misses its bar: errors as few as over the path alone, none where SRT repairs everything. */
export function missedBars({ lossPercent }: SrtCell, outcome: SrtOutcome): readonly string[] {
  const bare = outcome.get('bare');
  if (bare === undefined || bare.packets === 0) throw new Error('nothing came over the path without a tunnel');
  const mostErrors = lossPercent <= repairedPercent ? 0 : bare.errors;
  const leastPackets = Math.ceil(bare.packets * leastShare);
  return [...outcome].flatMap(([name, { errors, packets, drops }]) => {
    if (name === 'bare') return [];
    const misses = [
      ...(errors > mostErrors ? [`errors: ${errors}, at most ${mostErrors} (the path alone: ${bare.errors})`] : []),
      ...(packets < leastPackets ? [`packets: ${packets}, at least ${leastPackets}`] : []),
    ];
    return misses.length === 0 ? [] : [`${name}, ${misses.join('; ')}; its edges dropped ${drops ?? 'nothing'}`];
  });
}

/** The head of a Markdown table with a column for each way. */
export function tableHead(ways: readonly string[]): string {
  const names = ['Mbit/s', 'loss', ...ways];
  return `| ${names.join(' | ')} |\n|${' --- |'.repeat(names.length)}`;
}

export function tableLine({ megabits, lossPercent }: SrtCell, outcome: SrtOutcome): string {
  const cells = [...outcome.values()].map(cellText);
  return `| ${[megabits, `${lossPercent} %`, ...cells].join(' | ')} |`;
}

function cellText({ errors, packets }: TsCount): string {
  return `${errors} (${packets.toLocaleString('en-US').replaceAll(',', ' ')} packets)`;
}
