import { afterEach, beforeEach, expect, test as it } from 'vitest';
import type { Method } from './routes.ts';
import { targetOf } from './targets.ts';
import { Harness } from './testing/harness.ts';
import { fleetMember, MemoryFleet } from './testing/memory-fleet.ts';

let host: Harness;
let fleet: MemoryFleet;
beforeEach(async () => {
  host = await Harness.start();
  fleet = new MemoryFleet(host.backend, fleetMember('mb'));
  fleet.join('ma');
  host.backend.add('c1');
  fleet.add('c2', 'mb');
});
afterEach(() => host.stop());

const target = (method: Method, path: string, name: string, instance?: string) =>
  targetOf(fleet, { method, path, query: new URLSearchParams({ target: name }) }, instance);

const codeOf = (run: () => unknown) => {
  try {
    return run();
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it('no target means no member in particular', () => {
  const query = new URLSearchParams('target=');
  expect(targetOf(fleet, { method: 'DELETE', path: '/1.0/profiles/:name', query }, undefined)).toBeNull();
  expect(targetOf(null, { method: 'GET', path: '/1.0', query }, undefined)).toBeNull();
});

it('a target is refused on a single host, and if no member has the name', () => {
  const query = new URLSearchParams('target=mb');
  expect(codeOf(() => targetOf(null, { method: 'GET', path: '/1.0', query }, undefined))).toBe(
    'not-clustered',
  );
  for (const path of ['/1.0', '/1.0/profiles', '/1.0/operations'])
    expect(codeOf(() => target('GET', path, 'nope'))).toBe('member-unknown');
});

it("a member answers for its own host's facts, and makes new instances", () => {
  for (const path of ['/1.0', '/1.0/networks/:name', '/1.0/storage-pools', '/1.0/backups'])
    expect(target('GET', path, 'mb')).toBe('mb');
  expect(target('PUT', '/1.0', 'mb')).toBe('mb');
  expect(target('POST', '/1.0/instances', 'mb')).toBe('mb');
  expect(target('POST', '/1.0/containers', 'ma')).toBe('ma');
});

it("is ignored in reads of what members share, which LXD's client sends too", () => {
  for (const path of ['/1.0/instances', '/1.0/instances/:name', '/1.0/images/aliases/:name', '/1.0/profiles'])
    expect(target('GET', path, 'mb', 'c1')).toBeNull();
  for (const path of ['/1.0/operations/:id', '/1.0/operations/:id/wait', '/1.0/events'])
    expect(target('GET', path, 'mb')).toBeNull();
  expect(target('DELETE', '/1.0/operations/:id', 'mb')).toBeNull();
});

it('a change of an instance may name its own member only', () => {
  const path = '/1.0/instances/:name/state';
  expect(target('PUT', path, 'ma', 'c1')).toBeNull();
  expect(target('PUT', path, 'mb', 'c2')).toBeNull();
  expect(codeOf(() => target('PUT', path, 'mb', 'c1'))).toBe('target-elsewhere');
  expect(codeOf(() => target('POST', '/1.0/instances/:name', 'ma', 'c2'))).toBe('target-elsewhere');
  // The handler refuses it.
  expect(target('PUT', path, 'mb', 'c9')).toBeNull();
});

it('a change of what all members share may name none', () => {
  for (const [method, path] of [
    ['PUT', '/1.0/profiles/:name'],
    ['POST', '/1.0/images'],
    ['DELETE', '/1.0/images/:fingerprint'],
    ['PUT', '/1.0/instances'],
    ['DELETE', '/1.0/cluster/members/:name'],
  ] as const)
    expect(codeOf(() => target(method, path, 'ma'))).toBe('target-refused');
});
