import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../base/log.ts';
import type { Machine } from './machined.ts';
import { Machines } from './machines.ts';
import { NspawnFolder } from './nspawn-folder.ts';

const OF_NSPAWN: Machine = { leader: process.pid, registeredUs: 0n, isOfNspawn: true };

let folder: string;
let settings: string;
let states: string;
let machines: Machines;
let asked: string[];
let adopted: string[];
let follows: boolean[];
let ask: (name: string) => Promise<Machine>;
let hasApi: boolean;
let starting: number;
let patterns: Map<string, readonly string[]>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-machines-'));
  settings = join(folder, 'systemd/nspawn');
  states = join(folder, 'machines');
  mkdirSync(join(folder, 'systemd'));
  [asked, adopted, follows] = [[], [], []];
  ask = async () => OF_NSPAWN;
  hasApi = true;
  starting = 0;
  patterns = new Map();
  machines = new Machines(
    {
      settings: new NspawnFolder(settings, ['/s/devlxd']),
      patterns: () => patterns,
      states,
      ask: (name) => {
        asked.push(name);
        return ask(name);
      },
      hasGuestApi: async () => hasApi,
      whileStarting: async (work) => {
        starting++;
        return work().finally(() => starting--);
      },
      adopt: async ({ subject: { id, pid, settings: file }, profiles }) =>
        void adopted.push(`${id} ${pid} ${profiles === null ? file : profiles.join()}`),
      follows: (on) => void follows.push(on),
    },
    { log: silentLog },
  );
});
afterEach(async () => {
  await machines.stop();
  rmSync(folder, { recursive: true });
});

function setUp(name: string, text = '[Files]\nBindReadOnly=/s/devlxd:/dev/lxd\n', mode = 0o644): void {
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, `${name}.nspawn`), text);
  chmodSync(join(settings, `${name}.nspawn`), mode);
}
/** As machined does it: a new file takes the place of an old one. */
function appear(name: string): void {
  mkdirSync(states, { recursive: true });
  writeFileSync(join(folder, 'new'), '# private');
  renameSync(join(folder, 'new'), join(states, name));
}
const of = (name: string) => `${name} ${process.pid} ${join(settings, `${name}.nspawn`)}`;
const become = (list: () => unknown, expected: unknown) =>
  vi.waitFor(() => expect(list()).toEqual(expected), { timeout: 1_500, interval: 5 });

describe('Machines that were set up', () => {
  it('are adopted if they already run when the daemon starts', async () => {
    setUp('web');
    appear('web');
    await machines.begin();
    expect([adopted, follows]).toEqual([[of('web')], [true]]);
    expect(machines.setUp).toEqual(['web']);
  });

  it('are adopted when they appear, also in folders that are made later, and at each restart', async () => {
    await machines.begin();
    expect(follows).toEqual([]);
    setUp('web');
    await become(() => follows, [true]);
    appear('web');
    await become(() => adopted.length, 1);
    rmSync(join(states, 'web'));
    appear('web');
    await become(() => adopted, [of('web'), of('web')]);
  });

  it('are no longer followed when the last setup is removed', async () => {
    setUp('web');
    await machines.begin();
    rmSync(join(settings, 'web.nspawn'));
    await become(() => follows, [true, false]);
  });

  it('are adopted later if machined does not answer at first', async () => {
    ask = async () => {
      throw new Error('no answer');
    };
    setUp('web');
    appear('web');
    await machines.begin();
    expect([asked, adopted]).toEqual([['web'], []]);
    ask = async () => OF_NSPAWN;
    await vi.waitFor(() => expect(adopted).toEqual([of('web')]), { timeout: 4_000 });
  });

  it('have callers that wait from the moment when the machine is seen, while machined is asked', async () => {
    const answer = Promise.withResolvers<Machine>();
    ask = () => answer.promise;
    setUp('web');
    appear('web');
    const begun = machines.begin();
    await become(() => [asked, starting], [['web'], 1]);
    answer.resolve(OF_NSPAWN);
    await begun;
    expect([adopted, starting]).toEqual([[of('web')], 0]);
  });

  it('do not wait for each other', async () => {
    for (const name of ['a', 'b']) {
      setUp(name);
      appear(name);
    }
    const never = Promise.withResolvers<Machine>();
    ask = (name) => (name === 'a' ? never.promise : Promise.resolve(OF_NSPAWN));
    const begun = machines.begin();
    await become(() => adopted, [of('b')]);
    never.reject(new Error('killed'));
    await begun;
  });
});

describe('A machine is not adopted', () => {
  it.each<[string, () => void]>([
    ['that was not set up', () => setUp('other')],
    ['whose settings other users can write', () => setUp('web', undefined, 0o666)],
    [
      'with the mount of another state directory',
      () => setUp('web', '[Files]\nBindReadOnly=/t/devlxd:/dev/lxd\n'),
    ],
    [
      'whose settings mount two folders at /dev/lxd',
      () => setUp('web', '[Files]\nBindReadOnly=/s/devlxd:/dev/lxd\nBind=/t:/dev/lxd\n'),
    ],
  ])('%s: machined is not even asked', async (_what, prepare) => {
    prepare();
    appear('web');
    await machines.begin();
    expect([asked, adopted]).toEqual([[], []]);
  });

  it.each<[string, () => void]>([
    ['that is a virtual machine', () => (ask = async () => ({ ...OF_NSPAWN, isOfNspawn: false }))],
    ['that has ended', () => (ask = async () => ({ ...OF_NSPAWN, leader: 0 }))],
    ['that was started before it was set up', () => (hasApi = false)],
  ])('%s', async (_what, prepare) => {
    prepare();
    setUp('web');
    appear('web');
    await machines.begin();
    expect([asked, adopted]).toEqual([['web'], []]);
  });
});

describe('A machine that profiles ask for', () => {
  const byProfiles = (name: string, profiles: string) => `${name} ${process.pid} ${profiles}`;
  beforeEach(() => {
    hasApi = false;
    patterns.set('small', ['web-*']);
  });

  it('is adopted with these profiles although it has no mount yet, and others are not', async () => {
    patterns.set('all', ['db', 'web-1']);
    for (const name of ['web-1', 'db', 'web', 'unit:web-1']) appear(name);
    await machines.begin();
    expect(adopted.sort()).toEqual([byProfiles('db', 'all'), byProfiles('web-1', 'all,small')]);
    expect(follows).toEqual([true]);
  });

  it('is adopted while it runs if the profile begins to ask for it, and again when it asks a second time', async () => {
    appear('db');
    await machines.begin();
    patterns.set('small', ['db']);
    await vi.waitFor(() => expect(adopted).toEqual([byProfiles('db', 'small')]), { timeout: 4_000 });
    patterns.clear();
    await vi.waitFor(() => expect(follows).toEqual([true, false]), { timeout: 4_000 });
    rmSync(join(states, 'db'));
    appear('db');
    patterns.set('big', ['*']);
    await vi.waitFor(() => expect(adopted.slice(1)).toEqual([byProfiles('db', 'big')]), { timeout: 4_000 });
  });

  it('goes by its own settings if these set it up', async () => {
    hasApi = true;
    setUp('web-1');
    appear('web-1');
    await machines.begin();
    expect(adopted).toEqual([of('web-1')]);
  });
});
