import { readFileSync } from 'node:fs';

/** How a label finds its process: every given criterion must hold. */
export interface LabelRule {
  readonly pidfile?: string | undefined;
  readonly cgroup?: string | undefined;
  readonly comm?: string | undefined;
}

/** What pids are called. Read anew for each question: processes come and go. */
export class ProcessLabels {
  readonly #rules: readonly (readonly [string, LabelRule])[];

  constructor(rules: Readonly<Record<string, LabelRule>>) {
    this.#rules = Object.entries(rules);
  }

  /** Null for a pid that no rule fits. */
  of(pid: number): string | null {
    return this.#rules.find(([, rule]) => fits(rule, pid))?.[0] ?? null;
  }
}

function fits({ pidfile, cgroup, comm }: LabelRule, pid: number): boolean {
  if (pidfile === undefined && cgroup === undefined && comm === undefined) return false;
  if (pidfile !== undefined && Number(read(pidfile)) !== pid) return false;
  if (cgroup !== undefined && !read(`/proc/${pid}/cgroup`).includes(cgroup)) return false;
  return comm === undefined || read(`/proc/${pid}/comm`).trimEnd() === comm;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // No such process or file: the rule does not fit.
    return '';
  }
}
