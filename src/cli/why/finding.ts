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
