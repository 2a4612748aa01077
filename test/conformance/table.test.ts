import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onBothDatabases, underFaults } from '../../tools/conformance/manager-promises.ts';
import { isPromiseId, promiseIds } from '../../tools/conformance/promises.ts';
import { findProofs, sourceOf } from '../../tools/conformance/proofs.ts';
import { expectedProofs, listedProofs } from '../../tools/conformance/table.ts';

const root = join(import.meta.dirname, '../..');
const proofs = findProofs(root);
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
/** A process is killed, a link or the database ends, an answer is lost, many race. */
const fault =
  /SIGKILL|terminate\(|asyncDispose\]\(\)|halt\(|prlimit|'silence'|kind: 'offline'|runKillTrial|killOne|Promise\.all\(Array/;

describe('the promises', () => {
  it.each(promiseIds)('have a test for %s', (id) => {
    expect(proofs.filter((proof) => proof.id === id)).not.toEqual([]);
  });

  it.each(onBothDatabases)('have a test for %s that runs on each database', (id) => {
    const files = new Set(proofs.filter((proof) => proof.id === id).map(({ file }) => file));
    const both = [...files].filter((file) => /^describe\.each\((?:engines|\['sqlite', 'postgres'\])/m.test(read(file)));
    const document = read('docs/conformance.md');
    const listed = both.some((file) =>
      document.split('\n').some((line) => line.includes(file) && /\d times/.test(line)),
    );
    expect([id, both.length > 0, listed]).toEqual([id, true, true]);
  });

  it.each(underFaults)('have a test for %s that makes something fail', (id) => {
    const own = proofs.filter((proof) => proof.id === id).map((proof) => sourceOf(root, proof));
    expect([id, own.some((source) => fault.test(source))]).toEqual([id, true]);
  });

  it('are all that tests claim to prove', () => {
    expect(proofs.filter(({ id }) => !isPromiseId(id))).toEqual([]);
  });

  it('stand with their tests in docs/conformance.md (npm run conformance)', () => {
    const document = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
    expect(listedProofs(document)).toEqual(expectedProofs(proofs));
    expect(document).not.toContain('**fails**');
  });
});
