import { expect, test as it } from 'vitest';
import { Lxcfs } from './lxcfs.ts';

it.each([
  ['off', 'off'],
  ['/nowhere', 'absent'],
  // A folder that is no mount point is not looked at.
  ['/etc', 'absent'],
  // A mount without the files of lxcfs.
  ['/proc', 'failed'],
])('with the setting %s it is %s, and nothing is mounted', async (setting, state) => {
  const lxcfs = new Lxcfs(setting);
  expect(await lxcfs.state()).toBe(state);
  expect(await lxcfs.mountLines()).toEqual({ state, lines: [] });
});
