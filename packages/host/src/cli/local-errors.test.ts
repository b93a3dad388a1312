import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { expect, test as it } from 'vitest';
import { ApiError } from '../client/client-errors.ts';
import { sentenceOf, writing } from './local-errors.ts';

function failure(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

const system = (code: string, path?: string) =>
  Object.assign(new Error(`${code}: some text, open '${path}'`), {
    code,
    syscall: 'open',
    ...(path && { path }),
  });

it('an error of the system is a sentence with the path, without its code', () => {
  expect(sentenceOf(failure(() => readFileSync('/no/such')))).toBe('There is no /no/such');
  expect(sentenceOf(system('EACCES', '/a'))).toBe('You may not use /a: its permissions do not allow it');
  expect(sentenceOf(system('ENOSPC'))).toBe('The disk is full: a file could not be written');
  expect(sentenceOf(system('ENODEV', '/a'))).toBe('/a: some text');
});

it('other errors keep their text', () => {
  expect(sentenceOf(new ApiError(404, 'ENOENT is a code'))).toBe('ENOENT is a code');
  expect(sentenceOf(new RangeError('x'))).toBe('x');
  expect(sentenceOf('thrown')).toBe('thrown');
});

it('of a file that cannot be made, the missing directory is named', async () => {
  expect(sentenceOf(await mkdtemp('/no/such-').catch((error) => error))).toBe('There is no directory /no');
  await expect(writing('/no/x', Promise.reject(system('ENOENT', '/no/x')))).rejects.toThrow(
    'There is no directory /no',
  );
  await expect(writing('/full/x', Promise.reject(system('ENOSPC')))).rejects.toThrow(
    'The disk is full: /full/x',
  );
});
