import { describe, expect, test as it } from 'vitest';
import type { Instance } from '../core/entities.ts';
import { instanceCheckOf, instanceEtag, instancePatchCheckOf, preconditionOf } from './etag.ts';

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
  lastStartedAt: '2024-01-01T00:00:00Z',
};

describe('the ETag of an instance', () => {
  it('does not depend on the order of keys, name, description or times', () => {
    const same = {
      ...instance,
      name: 'c2',
      description: 'x',
      lastStartedAt: 'y',
      config: { b: '2', a: '1' },
    };
    expect(instanceEtag(same)).toBe(instanceEtag(instance));
  });

  it.each([
    { config: { a: '1', b: '2', 'volatile.last_state.ready': 'true' } },
    { devices: {} },
    { ephemeral: true },
    { profiles: [] },
    { architecture: 'aarch64' },
  ])('changes with %j', (change) => {
    expect(instanceEtag({ ...instance, ...change })).not.toBe(instanceEtag(instance));
  });
});

describe('If-Match of an instance that writes keys of its own', () => {
  const withGuest = (guest: Record<string, string>, edited: Record<string, string> = {}) => ({
    ...instance,
    config: { ...instance.config, ...edited, ...guest },
  });
  const seen = withGuest({ 'guest.a': '1' });
  const written = withGuest({ 'guest.a': '2', 'guest.b': '1' });
  const stops = expect.objectContaining({ status: 412, code: 'precondition-failed' });

  it('takes the given config when nothing has changed since', () => {
    for (const given of [{}, { 'guest.a': '1' }, { 'guest.a': 'other' }]) {
      expect(instanceCheckOf(`"${instanceEtag(seen)}"`, given)(seen)).toBe('given');
      expect(instanceCheckOf(undefined, given)(written)).toBe('given');
    }
  });

  it('lets an edit of other keys pass, and keeps what the instance has written since', () => {
    const edit = { a: 'new', 'guest.a': '1' };
    expect(instanceCheckOf(instanceEtag(seen), edit)(written)).toBe('current');
    expect(instanceCheckOf(instanceEtag(instance), { a: 'new' })(written)).toBe('current');
    expect(instanceCheckOf(instanceEtag(seen), edit)(instance)).toBe('current');
  });

  it('stops a change of those keys by a client that has not seen what was written since', () => {
    for (const given of [{ a: 'new' }, { 'guest.a': '3' }, { 'guest.a': '1', 'guest.c': '1' }]) {
      expect(() => instanceCheckOf(instanceEtag(seen), given)(written)).toThrow(stops);
    }
  });

  it('stops a change by a client that has not seen other changes by operators', () => {
    const other = withGuest({ 'guest.a': '1' }, { a: 'other' });
    expect(() => instanceCheckOf(instanceEtag(seen), { 'guest.a': '1' })(other)).toThrow(stops);
    expect(() => instancePatchCheckOf(instanceEtag(seen))(other)).toThrow(stops);
  });

  it('lets a patch pass, since it names the keys that it changes', () => {
    for (const current of [seen, written, instance]) {
      for (const tag of [instanceEtag(seen), '*', undefined]) {
        expect(() => instancePatchCheckOf(tag)(current)).not.toThrow();
      }
    }
  });
});

describe('If-Match', () => {
  const check = (header: string | undefined) => () => preconditionOf(header, () => 'abc')(undefined);

  it.each([undefined, '', '"abc"', 'abc', '*', '"x", "abc"'])('lets %j pass', (header) => {
    expect(check(header)).not.toThrow();
  });

  it.each(['"abd"', 'ab', '"abc', '"x", "y"'])('stops %j', (header) => {
    expect(check(header)).toThrow(expect.objectContaining({ status: 412, code: 'precondition-failed' }));
  });

  it('names the current ETag and the one that was sent', () => {
    expect(check('"x"')).toThrow("ETag doesn't match: abc vs x");
  });
});
