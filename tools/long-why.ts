import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import { canStartMachines } from '../test/support/network/other-machine.ts';
import { playSituation, type Answer, type Situation } from '../test/support/why/situation.ts';
import { situations } from '../test/support/why/situations.ts';
import { whyPage } from '../test/support/why/why-page.ts';

/**
 * `npm run long:why [words | number]`: causes every situation that `adit why` must know, or those whose title has the
 * words, or from that number on. Prints what it said, and writes it into docs/why.md. All of them take ten minutes. The
 * exit status is 1 where an answer was wrong. Without root and nftables some situations are left out.
 */
const words = process.argv.slice(2).join(' ');
const page = join(import.meta.dirname, '../docs/why.md');
const first = /^\d+$/.test(words) ? Number(words) : null;
const wanted = situations.filter(({ title }, at) => (first === null ? title.includes(words) : at + 1 >= first));
const hasRoot = canStartMachines();
const played: { readonly situation: Situation; readonly answers: readonly Answer[] }[] = [];
let wrong = 0;

for (const situation of wanted.filter(({ needsRoot }) => hasRoot || needsRoot !== true)) {
  const answers = await play(situation);
  played.push({ situation, answers });
  process.stdout.write(`${situation.title}\n${answers.map(toLines).join('')}`);
  wrong += answers.filter(({ isRight }) => !isRight).length;
  await writePage();
}
const total = played.reduce((sum, { answers }) => sum + answers.length, 0);
process.stdout.write(`${played.length} of ${situations.length} situations, ${total} answers, ${wrong} wrong\n`);
process.exit(wrong === 0 && played.length > 0 ? 0 : 1);

/** One that cannot be caused counts as wrong. */
async function play(situation: Situation): Promise<readonly Answer[]> {
  try {
    return await playSituation(situation);
  } catch (error) {
    const [saying] = situation.says;
    if (saying === undefined) throw error;
    const whole = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [{ saying, isRight: false, cause: 'it could not be caused', remedy: null, whole }];
  }
}

function toLines({ saying, isRight, cause, remedy, whole }: Answer): string {
  const first = `  ${isRight ? 'right' : 'WRONG'} at ${saying.at}: ${cause}\n${remedy === null ? '' : `    → ${remedy}\n`}`;
  return isRight ? first : `${first}${whole.replaceAll(/^/gm, '    | ')}\n`;
}

/** Without the answers that were wrong. After each situation, so that an interrupted run keeps what it saw. */
async function writePage(): Promise<void> {
  const right = played.filter(({ answers }) => answers.every(({ isRight }) => isRight));
  const earlier = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const settings = { ...(await resolveConfig(page)), parser: 'markdown' };
  writeFileSync(page, await format(whyPage(situations, right, earlier), settings));
}
