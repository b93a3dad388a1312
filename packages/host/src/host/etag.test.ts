import { describe, expect, test } from 'vitest';
import type { Instance } from '../core/model.ts';
import { instanceEtag, preconditionOf } from './etag.ts';

const instance: Instance = {
  id: 1,
  name: 'c1',
  architecture: 'x86_64',
  description: '',
  ephemeral: false,
  profiles: ['default'],
  config: { a: '1', b: '2' },
  devices: { d: { type: 'none' } },
  createdAt: '2024-01-01T00:00:00Z',
  lastUsedAt: '2024-01-01T00:00:00Z',
};

describe('the ETag of an instance', () => {
  test('does not depend on the order of keys, name, description or times', () => {
    const same = { ...instance, name: 'c2', description: 'x', lastUsedAt: 'y', config: { b: '2', a: '1' } };
    expect(instanceEtag(same)).toBe(instanceEtag(instance));
  });

  test.each([
    { config: { a: '1', b: '2', 'volatile.last_state.ready': 'true' } },
    { devices: {} },
    { ephemeral: true },
    { profiles: [] },
    { architecture: 'aarch64' },
  ])('changes with %j', (change) => {
    expect(instanceEtag({ ...instance, ...change })).not.toBe(instanceEtag(instance));
  });
});

describe('If-Match', () => {
  const check = (header: string | undefined) => () => preconditionOf(header, () => 'abc')(undefined);

  test.each([undefined, '', '"abc"', 'abc', '*', '"x", "abc"'])('lets %j pass', (header) => {
    expect(check(header)).not.toThrow();
  });

  test.each(['"abd"', 'ab', '"abc', '"x", "y"'])('stops %j', (header) => {
    expect(check(header)).toThrow(expect.objectContaining({ status: 412, code: 'precondition-failed' }));
  });

  test('says what it saw and what was sent', () => {
    expect(check('"x"')).toThrow("ETag doesn't match: abc vs x");
  });
});
