import { describe, expect, it } from 'vitest';
import { parseExactly } from '../base/exact-json.ts';
import { withEdits } from './edits.ts';

const place = { stateDir: '/srv/p', bin: '/opt/bin', required: false };
const mount = {
  destination: '/dev/lxd',
  type: 'bind',
  source: '/srv/p/devlxd',
  options: ['bind', 'ro', 'nosuid', 'noexec', 'nodev', 'rprivate'],
};
const hook = (name: string, ...more: string[]) => ({
  path: '/opt/bin/porthole',
  args: ['porthole', 'oci-hook', name, '--state-dir', '/srv/p', ...more],
  timeout: 30,
});

describe('the config.json of a bundle', () => {
  it('gets mount and hooks, after those that it has', () => {
    const before = {
      root: { path: 'r' },
      mounts: [{ destination: '/proc' }],
      hooks: { poststop: [{ path: '/x' }] },
    };
    expect(withEdits(before, place)).toEqual({
      root: { path: 'r' },
      mounts: [{ destination: '/proc' }, mount],
      hooks: { createRuntime: [hook('createRuntime')], poststop: [{ path: '/x' }, hook('poststop')] },
    });
  });

  it('gets them once', () => {
    const once = withEdits({ mounts: null }, place);
    expect(withEdits(once, { ...place, bin: '/other' })).toEqual(once);
  });

  it('keeps another mount at that place', () => {
    const mounts = [{ destination: '/dev/lxd/', source: '/mine' }];
    expect(withEdits({ mounts }, place)['mounts']).toEqual(mounts);
  });

  it('says in the hooks that the daemon is required', () => {
    const hooks = {
      createRuntime: [hook('createRuntime', '--required')],
      poststop: [hook('poststop', '--required')],
    };
    expect(withEdits({}, { ...place, required: true })).toMatchObject({ hooks });
  });

  it.each([
    [[], 'it is not an object'],
    [null, 'it is not an object'],
    [{ mounts: {} }, '"mounts" is not a list'],
    [{ hooks: [] }, '"hooks" is not an object'],
    [{ hooks: { poststop: 'x' } }, '"poststop" is not a list'],
  ])('%j is none', (config, message) => {
    expect(() => withEdits(config, place)).toThrow(message);
  });

  it('keeps numbers that JavaScript would round', () => {
    const text = '{"a":18446744073709551615,"b":[1.50,-0,1e400],"c":null}';
    expect(JSON.stringify(parseExactly(text))).toBe(text);
  });
});
