import { errorMessage } from '../../src/lib/app-error.ts';
import type { Measurement, Row } from './figure.ts';

/** What `measure` returns. When it throws, each of the rows is a failure for that reason. */
export async function measureOrFail(
  rows: readonly Row[],
  measure: () => Promise<readonly Measurement[]>,
): Promise<readonly Measurement[]> {
  try {
    return await measure();
  } catch (error) {
    const reason = errorMessage(error);
    return rows.map(({ id }): Measurement => ({ kind: 'failed', row: id, reason }));
  }
}
