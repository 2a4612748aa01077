import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxRowsDrawn, rowWindow } from '../../../web/src/parts/row-window.ts';

test('never draws more than its cap, always covers what is in view, and keeps the height of the whole', () => {
  const input = fc.record({
    rows: fc.nat(20_000),
    rowHeight: fc.integer({ min: 30, max: 60 }),
    scrollTop: fc.nat(1_200_000),
    height: fc.integer({ min: 100, max: 1_200 }),
  });
  fc.assert(
    fc.property(input, ({ rows, rowHeight, scrollTop, height }) => {
      const top = Math.min(scrollTop, Math.max(0, rows * rowHeight - height));
      const { first, last, above, below } = rowWindow({ rows, rowHeight, scrollTop: top, height });
      expect(last - first).toBeLessThanOrEqual(maxRowsDrawn);
      expect(above + (last - first) * rowHeight + below).toBe(rows * rowHeight);
      expect(first).toBeLessThanOrEqual(Math.floor(top / rowHeight));
      expect(last).toBeGreaterThanOrEqual(Math.min(rows, Math.ceil((top + height) / rowHeight)));
    }),
  );
});
