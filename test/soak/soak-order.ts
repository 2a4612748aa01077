import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';

const relayChapters = ['mixed', 'paths', 'flood', 'cycles', 'fuzz', 'storm'] as const;
const chapterNames = [...relayChapters, 'media'] as const;
export type ChapterName = (typeof chapterNames)[number];

const seedCount = 1_000_000;

const orderSchema = z.object({
  /** Length of the mixed chapter, the changing path, and the media. */
  minutes: z.coerce.number().positive().max(1440).default(30),
  tunnels: z.coerce.number().int().min(2).max(2000).default(200),
  /** Absent: every engine that is built, one after the other. */
  engine: z.enum(['native', 'quiche']).optional(),
  /** Chapters, with commas between them; absent: all but `media`, which needs the programs of .ci/packages. */
  only: z
    .string()
    .transform((names) => names.split(','))
    .pipe(z.array(z.enum(chapterNames)))
    .default([...relayChapters]),
  /** Of the faults and the fuzzing. Drawn when it is absent: what one seed hides, another one shows. */
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(seedCount)
    .default(() => randomInt(seedCount)),
});

/** What a soak does. */
export type SoakOrder = Readonly<z.output<typeof orderSchema>>;

const usage = `npm run soak -- [--minutes 30] [--tunnels 200] [--engine native|quiche] [--only ${chapterNames.join(',')}] [--seed N]`;

/** Answers what is wrong, and the usage, for arguments that mean nothing. */
export function parseSoakArguments(args: readonly string[]): SoakOrder | string {
  try {
    const text = { type: 'string' } as const;
    const options = { minutes: text, tunnels: text, engine: text, only: text, seed: text };
    const parsed = orderSchema.safeParse(parseArgs({ args: [...args], options }).values);
    return parsed.success ? parsed.data : `${z.prettifyError(parsed.error)}\n${usage}`;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`;
  }
}
