import { describe, expect, it } from 'vitest';
import { checkFleet } from './check.ts';
import type { ChangeTry, FaultSpan, GuestLine, RunRecord } from './record.ts';

const value = (record: object) => JSON.stringify(record);
const instance = (config: Record<string, string>) => value({ profiles: ['web'], config });
const profile = (config: Record<string, string>) => value({ description: '', config });

/** One instance with a profile, which operators change four times. */
const HISTORY: RunRecord['history'] = [
  { revision: 1, puts: [['profiles/web', profile({})]] },
  { revision: 2, puts: [['instances/g0', instance({})]] },
  { revision: 3, puts: [['profiles/web', profile({ 'user.p0': 'o1' })]] },
  { revision: 4, puts: [['instances/g0', instance({ 'user.k0': 'o2' })]] },
  { revision: 5, puts: [['profiles/web', profile({ 'user.p0': 'o3' })]] },
  { revision: 6, puts: [['profiles/web', profile({ 'user.p0': 'o3', 'user.count': '1.o4' })]] },
];

const event = (sequence: number, key: string, old_value: string, newValue: string): GuestLine => ({
  ...{ at: sequence, kind: 'event' },
  text: value({ type: 'config', metadata: { key, old_value, value: newValue }, sequence }),
});
const [P1, K2, P3, C4] = [
  event(1, 'user.p0', '', 'o1'),
  event(2, 'user.k0', '', 'o2'),
  event(3, 'user.p0', 'o1', 'o3'),
  event(4, 'user.count', '', '1.o4'),
] as const;
const line = (kind: GuestLine['kind'], at: number): GuestLine => ({ kind, at, text: '' });

const change = (mark: string, object: string, parts: Partial<ChangeTry> = {}): ChangeTry => ({
  ...{ mark, object, by: 'operator', member: 'ma', kind: 'put', begin: 100_000, end: 100_100 },
  ...{ outcome: 'done', text: '', unconfirmed: [], ...parts },
});
const CHANGES = [
  change('o1', 'profiles/web'),
  change('o2', 'instances/g0'),
  change('o3', 'profiles/web'),
  change('1.o4', 'profiles/web'),
];

const SHOWN = {
  profiles: new Map([['web', { 'user.p0': 'o3', 'user.count': '1.o4' }]]),
  aliases: new Map<string, string>(),
  instances: new Map([['g0', { profiles: ['web'], config: { 'user.k0': 'o2' }, status: 'Running' }]]),
};

function found(parts: Partial<RunRecord>, lines: readonly GuestLine[] = [P1, K2, P3, C4]): string {
  const record: RunRecord = {
    ...{ history: HISTORY, begun: 2, changes: CHANGES, looks: [], faults: [], compactions: [] },
    guests: [{ instance: 'g0', member: 'ma', lines, reads: [] }],
    ends: new Map([['ma', SHOWN]]),
    ...parts,
  };
  return checkFleet(record).violations.join('\n');
}

describe('the check of a fleet', () => {
  it('finds nothing where all agrees', () => {
    expect(found({})).toBe('');
  });

  it('finds events that were lost, doubled, swapped, invented, and those of another', () => {
    expect(found({}, [P1, P3, C4])).toContain('lost before user.p0: o1 -> o3');
    expect(found({}, [P1, K2, P3])).toContain('lost at the end: 1 changes');
    expect(found({}, [P1, P1, K2, P3, C4])).toContain('again, or too late: user.p0:  -> o1');
    const doubled = { ...K2, text: K2.text.replace('"sequence":2', '"sequence":9') };
    expect(found({}, [P1, K2, P3, C4, doubled])).toContain('again, or too late: user.k0:  -> o2');
    expect(found({}, [P1, P3, K2, C4])).toContain('lost before user.p0: o1 -> o3');
    expect(found({}, [P1, K2, event(3, 'user.p0', '', 'o3'), C4])).toContain('this never happened');
    expect(found({}, [P1, K2, event(3, 'user.p0', 'o1', 'o7'), P3, C4])).toContain('this never happened');
  });

  it('takes a loss that the guest was told of, once, and only if etcd has forgotten something', () => {
    const told = [P1, line('gone', 50), line('restarted', 51), C4];
    expect(found({ compactions: [40] }, told)).toBe('');
    expect(found({}, told)).toContain('410 without a cause');
    expect(found({ compactions: [40] }, [line('gone', 50), K2, C4])).toContain('lost before user.count');
  });

  it('finds acknowledged changes that are not there, and refused ones that are', () => {
    const extra = (parts: Partial<ChangeTry>) => ({
      changes: [...CHANGES, change('o9', 'profiles/web', parts)],
    });
    expect(found(extra({}))).toContain('was acknowledged, and is not in etcd');
    expect(found(extra({ outcome: 'unknown' }))).not.toContain('etcd');
    expect(found(extra({ outcome: 'unexpected', text: '500 x' }))).toContain('no rule knows: 500 x');
    const refused = CHANGES.map((each) =>
      each.mark === 'o2' ? { ...each, outcome: 'refused' as const } : each,
    );
    expect(found({ changes: refused })).toContain('was refused (), and is in etcd');
    expect(found({ changes: CHANGES.slice(1) })).toContain('user.p0 is o1, which nobody has set');
  });

  it('finds changes that were overwritten, and counters that do not count', () => {
    const back = {
      revision: 7,
      puts: [['profiles/web', profile({ 'user.p0': 'o1', 'user.count': '1.o4' })]],
    } as const;
    expect(found({ history: [...HISTORY, back] })).toContain('user.p0 is o1 again');
    const counted = (count: string) => {
      const puts = [['profiles/web', profile({ 'user.p0': 'o3', 'user.count': count })]] as const;
      const changes = [...CHANGES, change(count, 'profiles/web')];
      return found({ history: [...HISTORY, { revision: 7, puts }], changes });
    };
    expect(counted('1.o5')).toContain('two have counted to 1');
    expect(counted('3.o5')).toContain('the counter went from 1 to 3');
    expect(counted('2.o5')).not.toMatch(/counted|counter/);
  });

  it('finds members that show something else in the end, or after they have acknowledged', () => {
    const old = { ...SHOWN, profiles: new Map([['web', { 'user.p0': 'o1' }]]), instances: new Map() };
    expect(found({ ends: new Map([['mb', old]]) })).toContain(
      'mb: the end of profile web is {"user.p0":"o1"}',
    );
    expect(found({ ends: new Map([['mb', old]]) })).toContain('mb: instances/g0 is not shown');
    const look = (config: Record<string, string>, member = 'ma') => ({
      ...{ mark: 'o3', asked: 'ma', member, object: 'profiles/web', begin: 100_000, end: 100_010, config },
    });
    expect(
      found({ looks: [look({ 'user.p0': 'o3' }), look({ 'user.p0': 'o3', 'user.count': '1.o4' })] }),
    ).toBe('');
    expect(found({ looks: [look({ 'user.p0': 'o1' })] })).toContain('ma showed profiles/web without o3');
    expect(found({ looks: [look({ 'user.p0': 'o1' }, 'mb')] })).toContain(
      'mb showed profiles/web without o3',
    );
    const faults: FaultSpan[] = [{ kind: 'member killed', hosts: ['mb'], begin: 90_000, end: 95_000 }];
    expect(found({ looks: [look({ 'user.p0': 'o1' }, 'mb')], faults })).toBe('');
  });

  it('finds members that hold up others, or do not say that they are cut off', () => {
    const slow = (faults: FaultSpan[]) =>
      found({ faults, changes: [...CHANGES.slice(0, 3), change('1.o4', 'profiles/web', { end: 109_000 })] });
    expect(slow([])).toContain('after 9000 ms, with no fault here');
    expect(slow([{ kind: 'member killed', hosts: ['mb'], begin: 99_000, end: 108_000 }])).toContain(
      'no fault here',
    );
    expect(slow([{ kind: 'member killed', hosts: ['ma'], begin: 99_000, end: 108_000 }])).toBe('');
    const faults = [{ kind: 'member cut off from etcd', hosts: ['ma'], begin: 90_000, end: 105_000 }];
    expect(found({ faults })).toContain('profiles/web at ma (o1): done () during: member cut off from etcd');
    const read = { key: 'user.p0', begin: 100_000, end: 100_010, status: '200', text: 'o3' };
    const reading = (parts: Partial<typeof read>) =>
      found({
        ...{ faults, changes: CHANGES.map((each) => ({ ...each, begin: 0, end: 1 })) },
        guests: [{ instance: 'g0', member: 'ma', lines: [P1, K2, P3, C4], reads: [{ ...read, ...parts }] }],
      });
    expect(reading({})).toBe('');
    expect(reading({ status: 'silent' })).toContain('guest of g0: read user.p0: silent');
    expect(reading({ end: 104_000 })).toContain('in 4000 ms');
    expect(reading({ text: 'o7' })).toContain('which never was');
  });
});
