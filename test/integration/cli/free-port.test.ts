import { expect, it } from 'vitest';
import { freePort } from '../../../src/cli/demo/free-port.ts';

it('gives no port twice, although none is bound yet', async () => {
  const ports = new Set<number>();
  // Of so many that are drawn from 22 768, some sixty are drawn twice.
  for (let count = 0; count < 1700; count++) ports.add(await freePort());
  expect(ports.size).toBe(1700);
});
