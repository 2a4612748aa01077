import { note, problem, type Finding } from './finding.ts';

export interface MachineFacts {
  /** That the process stood still lately, for people; null when it did not. */
  readonly stall: string | null;
  /** That the process had no file descriptor left lately, for people; null when it had. */
  readonly descriptor_shortage: string | null;
  /** How late the event loop was at worst within the last 20 s. */
  readonly loop_lag_ms: number;
}

/** Files with secrets that every user of the machine can read. */
export function exposedFindings(files: readonly string[]): Finding[] {
  return files.map((file) =>
    note(`Every user of this machine can read ${file}, which holds secrets.`, `chmod 600 ${file}`),
  );
}

/** Whether the program can open files and sockets here. */
export function descriptorFindings({ descriptor_shortage: shortage }: MachineFacts): Finding[] {
  if (shortage === null) return [];
  const remedy = 'raise LimitNOFILE in the systemd unit, or ulimit -n, and restart the program';
  return [problem(`This machine lets the program open no more: ${shortage}.`, remedy)];
}

/** Datagrams that wait for longer in the process are dropped, so a delay above it shows in everything else. */
const noticeableMs = 200;

/** Whether this machine runs the program in time; what is late or lost otherwise is not the network's fault. */
export function latenessFindings({ stall, loop_lag_ms: lagMs }: MachineFacts): Finding[] {
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
export function besideMachine(lateness: readonly Finding[], findings: readonly Finding[]): readonly Finding[] {
  if (lateness.length === 0) return findings;
  return findings.map((finding) =>
    finding.level === 'problem' ? note(`${finding.text} This may come from the machine alone.`) : finding,
  );
}
