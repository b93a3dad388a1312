import { describe, expect, it } from 'vitest';
import { checkRows } from './check-rows.ts';
import { checkJournal, Ledger } from './journal.ts';
import { checkMachine, checkShown, type SeenMachine } from './memory-world.ts';
import type { EventRow, InstanceRow, Rows } from './rows.ts';

const disk = { type: 'disk', source: '/srv', path: '/data' };
const nic = { type: 'nic', nictype: 'p2p' };

const c1: InstanceRow = {
  ...{ id: 7, name: 'c1', ephemeral: false, profiles: ['p'], devices: { disk } },
  config: { 'volatile.last_state.power': 'RUNNING', 'volatile.eth0.host_name': 'veth1', 'user.a': '1' },
};
const event = (sequence: number, action: string, source = '/1.0/instances/c1'): EventRow => ({
  ...{ sequence, instanceId: null, type: 'lifecycle' },
  metadata: { action, source, requestor: {} },
});
const rows = (part: Partial<Rows> = {}): Rows => ({
  instances: [c1],
  profiles: [{ name: 'p', config: { 'limits.cpu': '1' }, devices: { eth0: nic } }],
  ...{ images: ['f'], aliases: [], additions: [], keptFolders: [], damage: [] },
  events: [event(1, 'instance-created'), event(2, 'instance-started')],
  given: { instances: 7, events: 2 },
  floors: new Map(),
  ...part,
});
const run = (part: object = {}) => ({
  ...{ isAlive: true, frozen: false, guestApiMounts: 1, spec: { devices: {} } },
  devices: new Map(Object.entries({ disk, eth0: nic })),
  places: new Set(['/data']),
  interfaces: new Map([['eth0', 'veth1']]),
  limits: new Map([['limits.cpu', '1']]),
  ...part,
});
const machine = (part: Partial<SeenMachine> = {}): SeenMachine => ({
  runs: new Map([[7, run()]]),
  folders: new Set([7]),
  roots: new Set(['f-0', 'empty-0']),
  images: new Set(['f']),
  staged: new Set(),
  foreign: new Map(),
  ...part,
});
const withRun = (part: object) => machine({ runs: new Map([[7, run(part)]]) });
const shown = (part: object = {}) => ({
  ...{ known: [7], statuses: { c1: 'Running' } },
  view: () => ({ name: 'c1', config: new Map([['user.a', '1']]) }),
  ...part,
});

it('finds nothing wrong where all agrees', () => {
  expect([...checkRows(rows()), ...checkMachine(rows(), machine()), ...checkShown(rows(), shown())]).toEqual(
    [],
  );
});

describe('the checker finds', () => {
  it.each([
    ['a lost folder', machine({ folders: new Set() }), 'folder 7 is not there'],
    ['a left folder', machine({ folders: new Set([7, 8]) }), 'folder 8 is in no record'],
    [
      'a run without a record',
      machine({
        runs: new Map([
          [7, run()],
          [9, run()],
        ]),
      }),
      'run 9 is in no record',
    ],
    ['a record without a run', machine({ runs: new Map() }), 'run 7 is not there'],
    ['a left image', machine({ staged: new Set(['x']) }), 'a received image is left: x'],
    ['a root of no image', machine({ roots: new Set(['g-0']) }), 'root g-0 is needed by nothing'],
    [
      'a left mount point',
      withRun({ places: new Set(['/data', '/x']) }),
      'c1: mount point /x is of no device',
    ],
    ['a left guest API mount', withRun({ guestApiMounts: 2 }), 'c1: 2 guest API mounts, not 1'],
    ['another limit', withRun({ limits: new Map() }), 'c1: limits.cpu is undefined, not 1'],
    [
      'another interface',
      withRun({ interfaces: new Map([['eth0', 'veth2']]) }),
      'c1: interface veth2 is stored as veth1',
    ],
    ['a lost mount', withRun({ places: new Set() }), 'c1: mount point /data is not there'],
  ])('%s', (_, world, sentence) => {
    expect(checkMachine(rows(), world as SeenMachine)).toEqual([sentence]);
  });

  it.each([
    ['a caller that is not known', { known: [] }, 'caller of instance 7 is not there'],
    ['another status', { statuses: { c1: 'Stopped' } }, 'c1 is shown as Stopped, and stored as RUNNING'],
    [
      'an old value',
      { view: () => ({ name: 'c1', config: new Map([['user.a', '0']]) }) },
      'c1: key user.a=1 is not there',
    ],
  ])('%s', (_, part, sentence) => {
    expect(checkShown(rows(), shown(part))).toContain(sentence);
  });

  it.each([
    ['devices that are still being added', { additions: [7] }, 'devices of instance 7 are still being added'],
    [
      'an id that was not given',
      { given: { instances: 6, events: 2 } },
      'instance 7 has an id that was never given',
    ],
    ['an alias of nothing', { aliases: [{ name: 'a', target: 'g' }] }, 'alias a has no image'],
    ['a profile of nothing', { profiles: [] }, 'c1 has the profile p, which is not there'],
  ])('%s', (_, part, sentence) => {
    expect(checkRows(rows(part))).toEqual([sentence]);
  });
});

describe('the checker of the journal finds', () => {
  const find = (work: (ledger: Ledger) => void, part: Partial<Rows> = {}) => {
    const ledger = new Ledger();
    work(ledger);
    return checkJournal(rows(part), ledger);
  };

  it('an event that was heard and is lost, or is another one', () => {
    expect(find(({ heard }) => heard.push(event(3, 'instance-stopped')))).toEqual([
      'event 3 (instance-stopped c1) was heard, and is lost',
    ]);
    expect(find(({ heard }) => heard.push(event(2, 'instance-stopped')))).toEqual([
      'event 2 was heard as instance-stopped c1, and is stored as instance-started c1',
    ]);
  });

  it('an old event that is lost, unless the disk was full and the reader gets 410', () => {
    const part = { events: [event(2, 'instance-started')], floors: new Map([[0, 1]]) };
    const heard = event(1, 'image-created', '/1.0/images/f');
    const lost = ['event 1 (image-created f) was heard, and is lost'];
    expect(find((ledger) => ledger.heard.push(heard), part)).toEqual(lost);
    const full = (ledger: Ledger) => {
      ledger.heard.push(heard);
      ledger.wasFull = true;
    };
    expect(find(full, part)).toEqual([]);
    expect(find(full, { ...part, floors: new Map() })).toEqual(lost);
    const asked = (after: number) => (ledger: Ledger) => {
      ledger.ask(after, ['instance-stopped c1'])();
      ledger.wasFull = true;
    };
    expect(find(asked(0), part)).toEqual([]);
    expect(find(asked(1), part)).toEqual(['instance-stopped c1 was acknowledged, and has no event']);
  });

  it('events that were heard twice or in another order', () => {
    const both = [event(2, 'instance-started'), event(1, 'instance-created')];
    expect(find(({ heard }) => heard.push(...both))).toEqual(['event 1 was heard after event 2']);
  });

  it('a success without its event, and an event that was stored twice', () => {
    expect(find((ledger) => ledger.ask(0, ['instance-stopped c1'])())).toEqual([
      'instance-stopped c1 was acknowledged, and has no event',
    ]);
    const events = [event(1, 'instance-started'), event(2, 'instance-started')];
    expect(find((ledger) => void ledger.ask(0, ['instance-started c1']), { events })).toEqual([
      'instance-started c1: 2 events for 1',
    ]);
  });

  it('nothing when a request was cut off', () => {
    expect(find((ledger) => void ledger.ask(2, ['instance-stopped c1']))).toEqual([]);
  });
});
