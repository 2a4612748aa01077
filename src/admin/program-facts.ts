import { z } from 'zod';
import { route, type Route } from './route.ts';

const text = z.string();

/** How the link of a node to its manager is. */
const managerFactsSchema = z.object({
  connected: z.boolean(),
  /** Of the connection or the last attempt; null before the first has ended. */
  url: text.nullable(),
  /** Since the link was lost, or since the start; 0 while it is up. */
  down_secs: z.number().min(0),
  /** The manager takes none of the node's secrets. */
  refused: z.boolean(),
  /** Why the last attempt or connection ended; null while it is up, and before the first has ended. */
  last_problem: text.nullable(),
});

/** What is wrong with a program or its machine, whatever its tunnels do. */
export const programFactsSchema = z.object({
  program: z.enum(['relay', 'edge']),
  /** Of the program: addresses that it cannot have, a disk that takes nothing. For people. */
  faults: z.array(text).readonly(),
  /** Of the machine, as the program found it when it started. For people. */
  machine: z.array(z.object({ problem: text, remedy: text })).readonly(),
  /** Null without a manager in the config. */
  manager: managerFactsSchema.nullable(),
});

export type ProgramFacts = z.output<typeof programFactsSchema>;
export type ManagerFacts = z.output<typeof managerFactsSchema>;

/** What the link of a node says of itself. */
interface Link {
  readonly connectedUrl: string | null;
  readonly downMs: number;
  readonly lastEnd: { readonly url: string; readonly refused: boolean; readonly reason: string | null } | null;
}

export function managerFacts(link: Link | null): ManagerFacts | null {
  if (link === null) return null;
  const { connectedUrl, downMs, lastEnd } = link;
  return {
    connected: connectedUrl !== null,
    url: connectedUrl ?? lastEnd?.url ?? null,
    down_secs: Math.floor(downMs / 1000),
    refused: lastEnd?.refused ?? false,
    last_problem: lastEnd?.reason ?? null,
  };
}

export function programFactsRoute(facts: () => ProgramFacts): Route {
  return route({
    method: 'GET',
    path: '/api/v1/why',
    summary: 'What is wrong with the program itself, its machine, or its link to a manager.',
    access: 'token',
    body: programFactsSchema,
    refusals: [],
    handle: () => ({ status: 200, body: facts() }),
  });
}
