import type { z } from 'zod';
import type { WhyFinding } from '../fleet.ts';
import type { whySchema } from '../views/tunnels.ts';

/** The findings with one sentence above them: the first problem, or the first note, or that all is well. */
export function verdictOf(findings: readonly WhyFinding[]): z.input<typeof whySchema> {
  const items = findings.map(({ level, text, remedy, node_id }) => ({ level, text, remedy, node_id }));
  const problem = findings.find(({ level }) => level === 'problem');
  if (problem !== undefined) return { verdict: 'broken', summary: problem.text, findings: items };
  const note = findings.find(({ level }) => level === 'note');
  if (note !== undefined) return { verdict: 'waiting', summary: note.text, findings: items };
  return { verdict: 'ok', summary: findings[0]?.text ?? 'Every part of the tunnel is in place.', findings: items };
}
