import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPromiseId, promiseIds } from '../../tools/conformance/promises.ts';
import { findProofs } from '../../tools/conformance/proofs.ts';
import { expectedProofs, listedProofs } from '../../tools/conformance/table.ts';

const root = join(import.meta.dirname, '../..');
const proofs = findProofs(root);

describe('the promises', () => {
  it.each(promiseIds)('have a test for %s', (id) => {
    expect(proofs.filter((proof) => proof.id === id)).not.toEqual([]);
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
