import { expect, it } from 'vitest';
import { remoteBlock } from '../../../../src/manager/hub/remote-block.ts';

it.each([
  ['192.0.2.1:40000', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['[::ffff:192.0.2.1]:40000', '192.0.2.1'],
  ['[2001:db8:1:2::1]:40000', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::99', '2001:db8:1:2::/64'],
])('counts %s as %s', (address, block) => {
  expect(remoteBlock(address)).toBe(block);
});
