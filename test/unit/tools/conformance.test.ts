import { describe, expect, it } from 'vitest';
import { idOf, isPromiseId } from '../../../tools/conformance/promises.ts';
import { proofsIn } from '../../../tools/conformance/proofs.ts';
import { expectedProofs, listedProofs, renderTable } from '../../../tools/conformance/table.ts';

describe('the table of promises', () => {
  it('finds tests by the ids that their names begin with, however they are written', () => {
    // The ids are put in afterwards, or this file's own text would count as tests.
    const source = [
      `it('@1 a stranger, who\\'s clever', async () => {});`,
      `it.each([1, 2])(\n  "@2 code %d", () => {});`,
      `describe('about @1', () => {});`,
      `expect(text).toBe('@1');`,
    ]
      .join('\n')
      .replaceAll('@', 'I');
    expect(proofsIn(source, 'a.test.ts')).toEqual([
      { id: 'I1', name: "I1 a stranger, who's clever", file: 'a.test.ts' },
      { id: 'I2', name: 'I2 code %d', file: 'a.test.ts' },
    ]);
  });

  it('tells ids that are promises from others', () => {
    expect(idOf('L6 storm')).toBe('L6');
    expect(idOf('Listens')).toBeNull();
    expect(isPromiseId('L6')).toBe(true);
    expect(isPromiseId('L7')).toBe(false);
  });

  it('lists in its text what it was given', () => {
    const proofs = [
      { id: 'I1', name: 'I1 one | two', file: 'a.test.ts' },
      { id: 'I1', name: 'I1 three (four)', file: 'b.test.ts' },
    ];
    const table = renderTable(proofs.map((proof) => ({ ...proof, passed: 2, failed: 0 })));
    expect(listedProofs(table)).toEqual(expectedProofs(proofs));
    expect(table).toContain('**none**');
    expect(renderTable([{ id: 'I1', name: 'I1 x', file: 'a', passed: 1, failed: 1 }])).toContain('**fails** (1 of 2)');
  });
});
