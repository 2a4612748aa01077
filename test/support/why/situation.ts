import type { TunnelProtocol } from '../../../src/protocol/tunnel/leg.ts';
import type { CommandResult } from '../programs/adit-command.ts';
import { until } from '../until.ts';
import { WhyBed } from './why-bed.ts';

/** How the first finding begins, and the status that goes with it; `unanswered`: there is none, but an error. */
type Level = 'problem' | 'note' | 'good' | 'unanswered';

/** What `adit why` must say first at one of the programs. */
interface Saying {
  readonly at: string;
  /** `problem` unless it says otherwise. */
  readonly level?: Level;
  readonly cause: RegExp;
  /** Null: nothing is to be done. */
  readonly remedy: RegExp | null;
}

/** Something that operators meet, brought about with real programs, sockets and files. */
export interface Situation {
  /** As a sentence says it. */
  readonly title: string;
  /** The first cells of the rows of the table in docs/operations.md that it shows. */
  readonly rows?: readonly string[];
  /** Under three seconds on a quiet machine: it runs in the suite. */
  readonly isQuick: boolean;
  /** Needs root and Linux: a second machine, a mount. */
  readonly needsRoot?: boolean;
  readonly protocol?: TunnelProtocol;
  /** What people ask about, unless it is the tunnel; an empty text asks about everything. */
  readonly subject?: string;
  cause(bed: WhyBed): Promise<void>;
  readonly says: readonly Saying[];
}

/** What was said first, and whether it is what must be said. */
export interface Answer {
  readonly saying: Saying;
  readonly isRight: boolean;
  readonly cause: string;
  readonly remedy: string | null;
  readonly whole: string;
}

const statuses: Readonly<Record<Level, number>> = { problem: 3, note: 0, good: 0, unanswered: 1 };
const marks: Readonly<Record<Level, string>> = { problem: '✗', note: '·', good: '✓', unanswered: 'adit:' };
/** A busy machine takes its time; the slowest cause shows after some 20 s. */
const patienceMs = 90_000;

/** Causes the situation, and asks until each answer is right or its time is over. Rejects when it cannot be caused. */
export async function playSituation(situation: Situation): Promise<readonly Answer[]> {
  await using bed = await WhyBed.open(situation.protocol);
  await situation.cause(bed);
  const answers: Answer[] = [];
  for (const saying of situation.says) answers.push(await answerOf(bed, situation, saying));
  return answers;
}

async function answerOf(bed: WhyBed, { subject }: Situation, saying: Saying): Promise<Answer> {
  const ask = async (): Promise<Answer> => judge(saying, await bed.why(saying.at, subject));
  let last = await ask();
  const right = async (): Promise<boolean> => last.isRight || (last = await ask()).isRight;
  await until(right, { timeoutMs: patienceMs, pollMs: 250 }).catch(() => null);
  return last;
}

/** The first finding, and the first remedy from there on: one that helps against several stands below them. */
function judge(saying: Saying, { status, out, err }: CommandResult): Answer {
  const level = saying.level ?? 'problem';
  const lines = (level === 'unanswered' ? err : out).split('\n');
  const at = lines.findIndex((line) => Object.values(marks).some((mark) => line.startsWith(`${mark} `)));
  const first = lines[at] ?? '';
  const cause = first.slice(first.indexOf(' ') + 1);
  const remedy =
    lines
      .slice(at + 1)
      .find((line) => line.startsWith('  → '))
      ?.slice(4) ?? null;
  const isRight =
    status === statuses[level] &&
    first.startsWith(marks[level]) &&
    saying.cause.test(cause) &&
    (saying.remedy === null || (remedy !== null && saying.remedy.test(remedy)));
  return { saying, isRight, cause, remedy, whole: `${out}${err}(status ${status})` };
}
