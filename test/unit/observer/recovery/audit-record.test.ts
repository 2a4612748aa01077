import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AUDIT_HEADER,
  auditFields,
  chainOf,
  FIRST_CHAIN,
  verifyAudit,
} from '../../../../src/observer/recovery/audit-record.ts';

const vector = 'ea3737cc98db3db7f5be0f369c21b100c0eae318b0b050d67bb2ac80553435e8';

/** A log of two lines as it is on disk. */
function sampleLog(): string[] {
  const boot = auditFields(
    { kind: 'boot', observerPid: 1234, previous: null, reason: 'fresh' },
    { seq: 1, wallMs: 1700000000000, observerNs: 0 },
  );
  const first = chainOf(FIRST_CHAIN, 'boot', boot);
  const refused = auditFields(
    { kind: 'refused', agentPid: 42, reason: 'socket_mode_only' },
    { seq: 2, wallMs: 1700000000001, observerNs: 5 },
  );
  return [AUDIT_HEADER, `${boot}\t${first}`, `${refused}\t${chainOf(first, 'refused', refused)}`];
}

describe('the recovery audit', () => {
  it('chains a line as varta-watch does', () => {
    const [, boot] = sampleLog();
    expect(boot).toBe(`1\t1700000000000\t0\tboot\t1234\t-\tfresh\t${vector}`);
  });

  it('of varta-watch 0.2.0, over a restart, passes the same check', () => {
    const log = readFileSync(join(import.meta.dirname, '../../../support/samples/varta-watch-audit.tsv'), 'utf8');
    expect(verifyAudit(log)).toMatchObject({ kind: 'sound', records: 6, lastSeq: 6 });
  });

  it('is sound as it was written', () => {
    expect(verifyAudit(`${sampleLog().join('\n')}\n`)).toMatchObject({ kind: 'sound', records: 2, lastSeq: 2 });
  });

  it('goes on in a rotated file, whose boot names the chain before', () => {
    const previous = 'ab'.repeat(32);
    const fields = auditFields(
      { kind: 'boot', observerPid: 1, previous, reason: 'rotation' },
      { seq: 9, wallMs: 1, observerNs: 1 },
    );
    const content = `${AUDIT_HEADER}\n${fields}\t${chainOf(previous, 'boot', fields)}\n`;
    expect(verifyAudit(content)).toMatchObject({ kind: 'sound', lastSeq: 9 });
  });

  it.each([
    ['a changed field', (lines: string[]) => lines.with(2, (lines[2] ?? '').replace('42', '43')), 3],
    ['a missing line', (lines: string[]) => lines.toSpliced(1, 1, lines[2] ?? '').slice(0, 2), 2],
    ['another header', (lines: string[]) => lines.with(0, '# something else'), 1],
  ])('is broken by %s', (_name, change, line) => {
    expect(verifyAudit(`${change(sampleLog()).join('\n')}\n`)).toMatchObject({ kind: 'broken', line });
  });

  it('is broken by a last line that is cut off', () => {
    expect(verifyAudit(sampleLog().join('\n'))).toMatchObject({ kind: 'broken' });
  });

  it('reports that it has no chains where varta-watch was built without', () => {
    expect(verifyAudit(`${AUDIT_HEADER}\n1\t2\t0\tboot\t3\t-\tfresh\t-\n`)).toEqual({ kind: 'unchained', records: 1 });
  });

  it('keeps a tab in a reason from looking like a field', () => {
    const fields = auditFields(
      { kind: 'refused', agentPid: 1, reason: 'a\tb\nc' },
      { seq: 1, wallMs: 1, observerNs: 1 },
    );
    expect(fields.split('\t')).toHaveLength(6);
  });
});
