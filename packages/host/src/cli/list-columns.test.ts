import { expect, test as it } from 'vitest';
import { parseColumns } from './list-columns.ts';
import { parseFilters } from './list-filters.ts';
import { fakeInstance } from './testing/fake-instance.ts';

const c1 = fakeInstance({
  name: 'c1',
  status: 'Ready',
  ephemeral: true,
  profiles: ['default', 'web'],
  config: { 'volatile.base_image': 'f'.repeat(64) },
  expanded_devices: { root: { type: 'disk', path: '/', pool: 'default' }, 'a.b': { type: 'none' } },
  expanded_config: { 'user.role': 'database', 'security.nesting': 'true' },
});

const cells = (columns: string) => parseColumns(columns).map((column) => column.cell(c1));
const headers = (columns: string) => parseColumns(columns).map((column) => column.header);

it('letters stand for columns', () => {
  expect(headers('ns46tS')).toEqual(['NAME', 'STATE', 'IPV4', 'IPV6', 'TYPE', 'SNAPSHOTS']);
  expect(cells('ns46tS')).toEqual([
    'c1',
    'READY',
    '10.0.0.2 (eth0)',
    'fd00::2 (eth0)',
    'CONTAINER (EPHEMERAL)',
    '0',
  ]);
  expect(cells('pPacl')).toEqual(['42', 'default\nweb', 'x86_64', '2026/01/02 03:04 UTC', '']);
  expect(cells('fb')).toEqual(['ffffffffffff', 'default']);
});

it('letters may be separated by commas', () => {
  expect(headers('n,s')).toEqual(['NAME', 'STATE']);
});

it('a config key can be a column, with its own header and width', () => {
  expect(headers('n,user.role,user.role:ROLE:4')).toEqual(['NAME', 'USER.ROLE', 'ROLE']);
  expect(cells('n,user.role,user.role:ROLE:4')).toEqual(['c1', 'database', 'data']);
  expect(cells('user.none')).toEqual(['']);
});

it('an option of a device can be a column', () => {
  expect(cells('devices:root.path,devices:a.b.type:T:2,devices:none.path')).toEqual(['/', 'no', '']);
  expect(headers('devices:root.path,config:user.role')).toEqual(['ROOT.PATH', 'USER.ROLE']);
});

it('an unknown letter, and a width that is not a number, are refused', () => {
  for (const wrong of ['nx', 'n,_', 'constructor', 'user.a:A:x', ''])
    expect(() => parseColumns(wrong)).toThrow();
});

it('only columns with live data ask for it', () => {
  expect(parseColumns('nsacPt').some((column) => column.live)).toBe(false);
  expect(parseColumns('4').every((column) => column.live)).toBe(true);
});

const passes = (...filters: string[]) => parseFilters(filters).instance(c1);

it('a name is filtered by its beginning or as a regular expression', () => {
  expect([passes('c'), passes('c1'), passes('c.*'), passes('1'), passes('d')]).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

it('fields and config keys are filtered by value, ignoring case', () => {
  expect(passes('status=ready', 'type=container', 'user.role=data.*')).toBe(true);
  expect(passes('status=running,ready')).toBe(true);
  expect(passes('status=run')).toBe(false);
  expect(passes('user.role=data')).toBe(false);
  expect(passes('user.none=x')).toBe(false);
  expect([passes('u.role=database'), passes('u.r=x'), passes('s.n=true')]).toEqual([true, false, true]);
  expect(passes('u.role.x=database')).toBe(false);
});

it('an invalid pattern is compared as text', () => {
  expect(passes('user.role=data(')).toBe(false);
  expect(passes('c(')).toBe(false);
});

it('addresses are filtered by subnet', () => {
  expect(passes('ipv4=10.0.0.0/24')).toBe(true);
  expect(passes('ipv4=10.0.0.2')).toBe(true);
  expect(passes('ipv4=10.1.0.0/24')).toBe(false);
  expect(passes('ipv6=fd00::/64')).toBe(true);
  for (const wrong of ['ipv4=x', 'ipv4=10.0.0.0/33', 'ipv4=fd00::', 'ipv6=10.0.0.1', 'ipv4=10.0.0.0/']) {
    expect(() => parseFilters([wrong])).toThrow('Invalid ipv');
  }
});
