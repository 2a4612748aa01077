import type { Answer, Situation } from './situation.ts';

interface Played {
  readonly situation: Situation;
  readonly answers: readonly Answer[];
}

const head = '| situation | asked at | it says | what to do |\n| --- | --- | --- | --- |';

/**
 * docs/why.md: what was said first in each situation, and what to do. A situation that was not played now keeps the
 * rows that `earlier`, the page as it was, has for it. Markdown that Prettier has not seen yet.
 */
export function whyPage(situations: readonly Situation[], played: readonly Played[], earlier: string): string {
  const kept = rowsOf(earlier);
  const rows = situations.flatMap((situation) => {
    const now = played.find((each) => each.situation === situation);
    if (now === undefined) return kept.get(situation.title) ?? [];
    return now.answers.map((answer, at) => row(situation, answer, at === 0));
  });
  return `# What \`adit why\` says

\`npm run long:why\` writes this page. It causes each situation with real programs, sockets and files, asks \`adit why\`, and
takes down the first finding and its remedy. Names, times and sizes are those of that run.

${head}
${rows.join('\n')}
`;
}

/** By title; further rows of a situation have an empty first cell. */
function rowsOf(page: string): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  let title = '';
  for (const line of page.split('\n').filter((each) => each.startsWith('| '))) {
    const own = line.split('|')[1]?.trim() ?? '';
    if (own !== '') title = own;
    rows.set(title, [...(rows.get(title) ?? []), line]);
  }
  return rows;
}

function row({ title }: Situation, { saying, cause, remedy }: Answer, isFirst: boolean): string {
  return `| ${isFirst ? title : ''} | ${saying.at} | ${withoutRun(cause)} | ${withoutRun(remedy ?? '')} |`;
}

/** Ports and ids change from run to run; a bar would end the column. */
function withoutRun(text: string): string {
  return text
    .replaceAll(/(\d+\.\d+\.\d+\.\d+|localhost):\d{4,5}/g, '$1:PORT')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replaceAll(/\d\d:\d\d:\d\d UTC/g, 'HH:MM:SS UTC')
    .replaceAll('|', '\\|');
}
