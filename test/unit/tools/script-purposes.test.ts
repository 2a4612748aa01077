import { expect, it } from 'vitest';
import { readPage } from '../../support/markdown.ts';
import { scriptPurposes } from '../../../tools/script-purposes.ts';

it('npm run help has every script of package.json, and no other', () => {
  const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> };
  expect(Object.keys(scriptPurposes).toSorted()).toEqual(Object.keys(scripts).toSorted());
});
