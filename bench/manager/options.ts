import { parseArgs } from 'node:util';
import { engines } from '../../test/support/manager/databases.ts';
import type { EngineName } from '../../src/manager/store/open-database.ts';

export interface ManagerBenchOptions {
  readonly nodes: number;
  readonly rounds: number;
  /** Of each measurement. */
  readonly seconds: number;
  readonly databases: readonly EngineName[];
  /** What is printed goes to this file of `results/`, too; null for none. */
  readonly save: string | null;
}

/** `--manager [--nodes 5000] [--rounds 5] [--seconds 10] [--database sqlite] [--save manager]`; null for another benchmark. */
export function readManagerBench(args: readonly string[]): ManagerBenchOptions | null {
  if (!args.includes('--manager')) return null;
  const { values } = parseArgs({
    args: [...args],
    options: {
      manager: { type: 'boolean' },
      nodes: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '10' },
      database: { type: 'string', multiple: true, default: [...engines] },
      save: { type: 'string' },
    },
  });
  const databases = engines.filter((engine) => values.database.includes(engine));
  if (databases.length < values.database.length) throw new Error(`--database is one of ${engines.join(', ')}`);
  const [nodes, rounds, seconds] = [values.nodes, values.rounds, values.seconds].map(positive);
  return { nodes: nodes ?? 0, rounds: rounds ?? 0, seconds: seconds ?? 0, databases, save: values.save ?? null };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${text} is not a whole number above 0`);
}
