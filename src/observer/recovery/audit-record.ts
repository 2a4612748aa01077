import { createHash } from 'node:crypto';

/** Why the log begins anew, or goes on. */
export type BootReason = 'fresh' | 'resume' | 'rotation' | 'corrupt_tail' | 'legacy_v1' | 'schema_drift';

/** An entry of the recovery audit (docs/observer.md §8). Times in nanoseconds. */
export type AuditRecord =
  | {
      readonly kind: 'boot';
      readonly observerPid: number;
      readonly previous: Chain | null;
      readonly reason: BootReason;
    }
  | {
      readonly kind: 'spawn';
      readonly agentPid: number;
      readonly childPid: number;
      readonly program: string;
      /** Where the command was read: in the config or in a file of its own. */
      readonly source: 'inline' | 'path';
      /** Characters of the command as one line. */
      readonly commandLength: number;
    }
  | {
      readonly kind: 'complete';
      readonly agentPid: number;
      readonly childPid: number;
      readonly outcome: 'reaped' | 'killed' | 'reap_failed';
      readonly exitCode: number | null;
      readonly signal: number | null;
      readonly durationNs: number;
      readonly stdoutLength: number;
      readonly stderrLength: number;
      readonly truncated: boolean;
    }
  | { readonly kind: 'refused'; readonly agentPid: number; readonly reason: string }
  | { readonly kind: 'spawn_failed'; readonly agentPid: number; readonly errno: string; readonly program: string };

/** 64 hex digits. */
export type Chain = string;

export const AUDIT_HEADER = '# varta-watch recovery audit v2';
const domain = 'VARTA-AUDIT-v2\0';
export const FIRST_CHAIN: Chain = '0'.repeat(64);

/** The line without its chain: tabs between fields. A tab or line end within a field becomes a blank. */
export function auditFields(record: AuditRecord, at: { seq: number; wallMs: number; observerNs: number }): string {
  const head = [at.seq, at.wallMs, at.observerNs, record.kind];
  return [...head, ...ownFields(record)].map((field) => String(field).replaceAll(/[\t\n\r]/g, ' ')).join('\t');
}

/** The chain of a line: it covers the line and, through `previous`, every line before it. */
export function chainOf(previous: Chain, kind: string, fields: string): Chain {
  const hash = createHash('sha256').update(`${domain}${kind}\0`, 'latin1');
  return hash.update(Buffer.from(previous, 'hex')).update(`\0${fields}`).digest('hex');
}

/** What a log proves. */
export type AuditVerdict =
  | { readonly kind: 'sound'; readonly records: number; readonly lastSeq: number; readonly lastChain: Chain }
  /** `line` counts from 1. Everything before it is sound. */
  | { readonly kind: 'broken'; readonly line: number; readonly problem: string }
  /** Written without chains, as varta-watch does when it is built without them. */
  | { readonly kind: 'unchained'; readonly records: number };

/** Checks a whole log, of ours or of varta-watch: header, sequence and chain. */
export function verifyAudit(content: string): AuditVerdict {
  const lines = content.split('\n');
  if (lines.pop() !== '') return { kind: 'broken', line: lines.length + 1, problem: 'the last line is cut off' };
  if (lines.shift() !== AUDIT_HEADER)
    return { kind: 'broken', line: 1, problem: `does not begin with "${AUDIT_HEADER}"` };
  if (lines.length > 0 && lines.every((line) => line.endsWith('\t-')))
    return { kind: 'unchained', records: lines.length };
  let [lastSeq, lastChain] = [0, FIRST_CHAIN];
  for (const [index, line] of lines.entries()) {
    const end = line.lastIndexOf('\t');
    const fields = line.slice(0, end).split('\t');
    const [seq, kind] = [Number(fields[0]), fields[3] ?? ''];
    const wrong = (problem: string): AuditVerdict => ({ kind: 'broken', line: index + 2, problem });
    if (index === 0) [lastSeq, lastChain] = startOf(fields, seq);
    if (seq !== lastSeq + 1) return wrong(`has number ${fields[0] ?? ''} after ${lastSeq}`);
    const expected = chainOf(lastChain, kind, line.slice(0, end));
    if (line.slice(end + 1) !== expected) return wrong('does not fit its chain: it or a line before it was changed');
    [lastSeq, lastChain] = [seq, expected];
  }
  return { kind: 'sound', records: lines.length, lastSeq, lastChain };
}

/** A rotated file goes on where the one before ended: its boot line names that chain. */
function startOf(fields: readonly string[], seq: number): [number, Chain] {
  const previous = fields[5] ?? '-';
  return [seq - 1, /^[0-9a-f]{64}$/.test(previous) ? previous : FIRST_CHAIN];
}

function ownFields(record: AuditRecord): readonly (string | number | boolean)[] {
  switch (record.kind) {
    case 'boot':
      return [record.observerPid, record.previous ?? '-', record.reason];
    case 'spawn':
      return [record.agentPid, record.childPid, 'exec', record.program, record.source, record.commandLength];
    case 'complete':
      return [
        ...[record.agentPid, record.childPid, record.outcome, record.exitCode ?? '-', record.signal ?? '-'],
        ...[record.durationNs, record.stdoutLength, record.stderrLength, record.truncated],
      ];
    case 'refused':
      return [record.agentPid, record.reason];
    case 'spawn_failed':
      return [record.agentPid, record.errno, record.program];
  }
}
