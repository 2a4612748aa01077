/** One thing that is worth knowing about a tunnel, in plain words. */
export interface Finding {
  /** `problem`: traffic does not flow, or suffers. `note`: explains, needs no action. `good`: as it should be. */
  readonly level: 'problem' | 'note' | 'good';
  readonly text: string;
  /** What to do; null where nothing has to be done. */
  readonly remedy: string | null;
}

export function problem(text: string, remedy: string): Finding {
  return { level: 'problem', text, remedy };
}

export function note(text: string, remedy: string | null = null): Finding {
  return { level: 'note', text, remedy };
}

export function good(text: string): Finding {
  return { level: 'good', text, remedy: null };
}

/** Status of a command that looked and found a problem, so that scripts can act; 1 and 2: it could not look. */
export const problemFound = 3;

const marks = { problem: '✗', note: '·', good: '✓' } as const;

export function hasProblem(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level === 'problem');
}

/** A remedy that helps against several findings in a row stands once, below them. */
export function findingLines(findings: readonly Finding[]): string {
  const lines = findings.map(({ level, text, remedy }, index) => {
    const isShown = remedy !== null && remedy !== findings[index + 1]?.remedy;
    return `${marks[level]} ${text}\n${isShown ? `  → ${remedy}\n` : ''}`;
  });
  return lines.join('');
}
