import { note, problem, type Finding } from './finding.ts';

export interface MachineFacts {
  /** That the process stood still lately, for people; null when it did not. */
  readonly stall: string | null;
  /** How late the event loop was at worst within the last 20 s. */
  readonly loop_lag_ms: number;
}

/** Files with secrets that every user of the machine can read. */
export function exposedFindings(files: readonly string[]): Finding[] {
  return files.map((file) =>
    note(`Every user of this machine can read ${file}, which holds secrets.`, `chmod 600 ${file}`),
  );
}

/** Datagrams that wait for longer in the process are dropped, so a delay above it shows in everything else. */
const noticeableMs = 200;

/** Whether this machine runs the program in time; what is late or lost otherwise is not the network's fault. */
export function machineFindings({ stall, loop_lag_ms: lagMs }: MachineFacts): Finding[] {
  if (stall !== null) {
    return [
      problem(`This machine does not keep up: ${stall}.`, 'free CPU here: datagrams that wait for it are dropped'),
    ];
  }
  if (lagMs < noticeableMs) return [];
  const text = `This machine is short of CPU: the program was up to ${Math.round(lagMs)} ms late within the last 20 s.`;
  return [note(text, 'free CPU here when media stutter')];
}

/** Findings about paths and queues. While the machine is late they show its fault, and have no remedy of their own. */
export function besideMachine(machine: readonly Finding[], findings: readonly Finding[]): readonly Finding[] {
  if (machine.length === 0) return findings;
  return findings.map((finding) =>
    finding.level === 'problem' ? note(`${finding.text} This may come from the machine alone.`) : finding,
  );
}
