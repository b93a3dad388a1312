import { expect, it } from 'vitest';
import { rootUidOf } from './proc.ts';

it('a process that does not exist has no root', () => {
  expect(rootUidOf(2 ** 22 + 1)).toBeNull();
});
