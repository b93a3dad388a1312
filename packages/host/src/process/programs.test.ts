import { expect, it } from 'vitest';
import { isInstalled } from './programs.ts';

it('finds a program in the folders of PATH', async () => {
  expect(await isInstalled('sh')).toBe(true);
  expect(await isInstalled('no-such-program')).toBe(false);
});
