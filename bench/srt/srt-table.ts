import type { SrtCell } from './srt-order.ts';
import type { SrtOutcome } from './srt-trial.ts';
import type { TsCount } from './ts-tally.ts';

/** Ways end at slightly different moments; less than this share of the bare path's packets is loss. */
const leastShare = 0.995;

/** Names of ways on which more is missing than on the bare path. */
export function worseThanBare(outcome: SrtOutcome): readonly string[] {
  const bare = outcome.get('bare');
  if (bare === undefined || bare.packets === 0) throw new Error('nothing came over the path without a tunnel');
  return [...outcome]
    .filter(([, { errors, packets }]) => errors > bare.errors || packets < bare.packets * leastShare)
    .map(([name]) => name);
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
