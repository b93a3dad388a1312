import { describe, expect, it } from 'vitest';
import { lifecycle } from './lifecycle.ts';

const BY = { username: 'root', protocol: 'unix', address: '@' } as const;

describe('A lifecycle event', () => {
  it.each([
    ['instances', 'c1', '/1.0/instances/c1'],
    ['images/aliases', 'debian/12', '/1.0/images/aliases/debian%2F12'],
    ['profiles', 'a b', '/1.0/profiles/a%20b'],
    ['operations', '?#', '/1.0/operations/%3F%23'],
  ] as const)('names its object as a path: %s %s', (collection, name, source) => {
    expect(lifecycle('x', collection, name).metadata).toEqual({ action: 'x', source });
  });

  it('has only the given parts', () => {
    const source = '/1.0/instances/c1';
    const of = (extra: Parameters<typeof lifecycle>[3]) => lifecycle('x', 'instances', 'c1', extra);
    expect(of({ by: null })).toEqual({ type: 'lifecycle', metadata: { action: 'x', source } });
    expect(of({ by: BY, context: { a: 1 } }).metadata).toEqual({
      action: 'x',
      source,
      requestor: BY,
      context: { a: 1 },
    });
    expect(of({ causedBy: 7 })).toEqual({
      type: 'lifecycle',
      causedBy: 7,
      metadata: { action: 'x', source },
    });
  });
});
