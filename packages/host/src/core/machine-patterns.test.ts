import { describe, expect, it } from 'vitest';
import { checkConfig } from './config-keys.ts';
import type { Profile } from './entities.ts';
import { ADOPT_MACHINES, machinePatterns, profilesFor } from './machine-patterns.ts';

const profile = (name: string, value?: string): Profile => ({
  ...{ name, description: '', devices: {} },
  config: value === undefined ? {} : { [ADOPT_MACHINES]: value },
});
const asking = (machine: string, ...profiles: Profile[]) => profilesFor(machine, machinePatterns(profiles));

describe('A profile asks for a machine', () => {
  it.each([
    ['web', 'web'],
    ['db, web', 'web'],
    ['web-*', 'web-1'],
    ['web-*', 'web-'],
    ['*', 'any_name.x'],
    ['*-*-b', 'a-b-b'],
    ['a*a', 'aa'],
    ['**a', 'ba'],
  ])('by %j: %s', (value, machine) => {
    expect(asking(machine, profile('p', value))).toEqual(['p']);
  });

  it.each([
    ['web', 'web1'],
    ['web-*', 'web'],
    ['a*a', 'a'],
    ['*b*', 'a'],
    ['a.c', 'abc'],
    ['*', 'unit:systemd-nspawn@web.service'],
    ['*', '.#web12ab'],
  ])('by %j, but not %s', (value, machine) => {
    expect(asking(machine, profile('p', value))).toEqual([]);
  });

  it('with others, in the order of their names', () => {
    const profiles = [profile('z', 'web'), profile('b', '*'), profile('c', 'db'), profile('default')];
    expect(asking('web', ...profiles)).toEqual(['b', 'z']);
  });
});

describe('The key adopt.machines', () => {
  const check = (value: string, owner: 'instance' | 'profile' = 'profile') =>
    checkConfig({ [ADOPT_MACHINES]: value }, owner);

  it.each(['web', 'web-*,db', ' a , b ', '*', ''])('takes %j', (value) => {
    expect(() => check(value)).not.toThrow();
  });

  it.each([',', 'web,', '../x', 'a b', '.hidden', 'x'.repeat(65), 'a/b'])('refuses %j', (value) => {
    expect(() => check(value)).toThrow('is not a name of a machine');
  });

  it('takes 64 names', () => {
    expect(() => check(Array(64).fill('a').join(','))).not.toThrow();
    expect(() => check(Array(65).fill('a').join(','))).toThrow('maximum number');
  });

  it('belongs to profiles', () => {
    expect(() => check('web', 'instance')).toThrow('"adopt.machines" can only be set on profiles');
  });
});
