import { beforeEach, describe, expect, it } from 'vitest';
import { SLICE, SLICE_CHARACTERS } from '../base/slices.ts';
import type { Config } from '../core/entities.ts';
import { BY, Heart } from '../instances/testing/heart.ts';
import { lifecycle } from '../model/lifecycle.ts';

/** Users of the profile: so many that a change of it takes three slices. */
const USERS = 2 * SLICE + 50;
const USER_DATA = 'cloud-init.user-data';
const OLD = { 'user.role': 'old', [USER_DATA]: '#old' };
const NEW = { 'user.role': 'new', [USER_DATA]: '#new' };

let heart: Heart;
beforeEach(async () => {
  heart = await crowd();
});

async function crowd(): Promise<Heart> {
  const next = await Heart.begin();
  next.addProfile('web', { config: OLD });
  for (let number = 1; number <= USERS; number++)
    next.add(`c${number}`, { profiles: ['default', 'web'], config: { 'user.number': String(number) } });
  next.add('other');
  next.made.length = 0;
  return next;
}

const edit = (config: Config, of = heart) =>
  of.host.profiles.update('web', { description: '', config, devices: {} }, BY);
const rename = (of = heart) => of.host.profiles.rename('web', 'www', BY);
const users = (of: Heart) => [...of.model.state.instances.values()].filter(({ name }) => name !== 'other');
const eventsOf = (of: Heart, instanceId: number) =>
  of.parts.journal.eventsAfter({
    ...{ instanceId, after: 0, types: new Set(['config']), events: 100, bytes: 1e6 },
  }).events;

/** All that a change of the profile can reach, once for each different state of a user. */
function seen(of: Heart): unknown[] {
  const states = users(of).map(({ id, config, profiles }) => {
    const view = of.model.view(id);
    return JSON.stringify([
      [view?.config.get('user.role'), view?.config.get(USER_DATA)],
      [of.model.expanded(of.model.current(id)).config['user.role'], profiles],
      [config['volatile.cloud-init.instance-id'] !== undefined, eventsOf(of, id).length],
    ]);
  });
  return [...new Set(states)].map((text) => JSON.parse(text));
}

describe('An edit of a profile with many users', () => {
  it('is made in slices, with one small commit at the end', async () => {
    await edit(NEW);
    expect(heart.store.steps).toEqual([SLICE, SLICE, 50, 0]);
    expect(heart.told).toEqual(['profile-updated web']);
    expect(seen(heart)).toEqual([
      [
        ['new', '#new'],
        ['new', ['default', 'web']],
        [true, 1],
      ],
    ]);
  });

  it('has smaller slices if its instances have much config', async () => {
    const many = SLICE + 1;
    const large = await Heart.begin();
    large.addProfile('web', { config: OLD });
    const config = { 'user.large': 'x'.repeat(SLICE_CHARACTERS / 50) };
    for (let number = 1; number <= many; number++)
      large.add(`c${number}`, { profiles: ['default', 'web'], config });
    await edit(NEW, large);
    expect(large.store.steps).toEqual([50, 50, 1, 0]);
    while (large.store.isUntidy) large.store.tidy();
    expect(large.model.current(many).config['volatile.cloud-init.instance-id']).toBeDefined();
    expect((await large.crash()).get(`c${many}`)).toEqual(large.model.current(many));
  });

  it('makes each view once, and no other', async () => {
    await edit(NEW);
    expect(heart.made.toSorted()).toEqual(
      users(heart)
        .map(({ name }) => name)
        .toSorted(),
    );
  });

  it('lets other work have its turn after each slice', async () => {
    const turns: number[] = [];
    let going = true;
    const watch = () => {
      turns.push(heart.made.length);
      if (going) setImmediate(watch);
    };
    watch();
    await edit(NEW);
    going = false;
    expect(new Set(turns)).toEqual(new Set([0, SLICE, 2 * SLICE, USERS]));
  });

  it('is seen by nobody before its commit, and by all after it', async () => {
    const during: unknown[] = [];
    heart.store.betweenSlices = () => during.push(seen(heart));
    const before = seen(heart);
    await edit(NEW);
    expect(during).toEqual([before, before, before]);
  });

  it('writes no record of an instance that has the change from its profile only', async () => {
    const records = users(heart);
    await edit({ ...OLD, 'user.role': 'new' });
    expect(users(heart)).toEqual(records);
    expect(heart.store.isUntidy).toBe(false);
  });

  it('keeps what instances write meanwhile, once the view is made or before', async () => {
    for (const id of [1, USERS]) heart.findRunning(heart.model.current(id));
    heart.store.betweenSlices = () => {
      heart.store.betweenSlices = () => {};
      for (const id of [1, USERS]) {
        const instance = heart.model.current(id);
        const config = { ...instance.config, 'volatile.last_state.ready': 'true' };
        heart.model.commit([{ kind: 'put-instance', instance: { ...instance, config } }]);
      }
    };
    const heard = heart.listen('c1');
    await edit(NEW);
    for (const id of [1, USERS]) {
      expect(heart.model.view(id)).toMatchObject({ ready: true });
      expect(heart.model.view(id)?.config.get('user.role')).toBe('new');
    }
    expect(heard.map(({ key }) => key)).toEqual(['user.role']);
    expect(eventsOf(heart, 1)).toHaveLength(1);
    const later = await heart.crash();
    expect(later.get('c1').config).toMatchObject({ 'user.number': '1' });
    expect(seen(later)).toHaveLength(1);
  });

  it('gives its events later numbers than all that was committed before it, and each one once', async () => {
    heart.store.betweenSlices = () => {
      heart.model.commit([], [{ type: 'config', instanceId: 1, metadata: { key: 'between' } }]);
    };
    const heard = heart.listen('c1');
    await edit(NEW);
    const keys = ['between', 'between', 'between', 'user.role'];
    expect(heard.map(({ key }) => key)).toEqual(keys);
    const stored = eventsOf(heart, 1);
    expect(stored.map(({ metadata }) => metadata['key'])).toEqual(keys);
    const { newest } = heart.parts.journal.journalSpan(1);
    heart.model.commit([], [{ type: 'config', instanceId: 1, metadata: { key: 'after' } }]);
    expect(eventsOf(heart, 1).at(-1)?.sequence).toBe(newest + 1);
  });

  it('is told to operators and instances before anything that is committed later', async () => {
    const heard = heart.listen(`c${USERS}`);
    heart.parts.hub.onView(1, () => {
      heart.model.commit(
        [],
        [
          { type: 'config', instanceId: USERS, metadata: { key: 'later' } },
          lifecycle('instance-updated', 'instances', 'c1'),
        ],
      );
    });
    await edit(NEW);
    expect(heard.map(({ key }) => key)).toEqual(['user.role', 'later']);
    expect(heart.told).toEqual(['profile-updated web', 'instance-updated c1']);
  });

  it('changes an instance that begins to use the profile meanwhile', async () => {
    heart.store.betweenSlices = () => {
      heart.store.betweenSlices = () => {};
      heart.add('late', { profiles: ['default', 'web'] });
    };
    await edit(NEW);
    expect(heart.model.view(heart.get('late').id)?.config.get('user.role')).toBe('new');
  });

  it('that cannot be stored has changed nothing, and the next one succeeds', async () => {
    const before = seen(heart);
    heart.store.betweenSlices = () => {
      throw new Error('no room');
    };
    await expect(edit(NEW)).rejects.toThrow('no room');
    expect(seen(heart)).toEqual(before);
    heart.store.betweenSlices = () => {};
    await edit(NEW);
    expect(seen(heart)).toEqual([
      [
        ['new', '#new'],
        ['new', ['default', 'web']],
        [true, 1],
      ],
    ]);
  });

  it('waits for another one of the same users, and both come true', async () => {
    await Promise.all([edit(NEW), edit({ ...NEW, 'user.more': 'x' })]);
    expect(seen(heart)).toEqual([
      [
        ['new', '#new'],
        ['new', ['default', 'web']],
        [true, 2],
      ],
    ]);
    expect(heart.model.view(1)?.config.get('user.more')).toBe('x');
  });
});

describe('A rename of a profile with many users', () => {
  it('is one change too', async () => {
    await rename();
    expect(heart.store.steps).toEqual([SLICE, SLICE, 50, 0]);
    expect(seen(heart)).toEqual([
      [
        ['old', '#old'],
        ['old', ['default', 'www']],
        [false, 0],
      ],
    ]);
    expect(heart.model.state.profiles.has('web')).toBe(false);
  });

  it.each([['another profile gets the new name', () => heart.addProfile('www'), 'in use']])(
    'is refused if %s meanwhile, and changes nothing',
    async (_what, meanwhile, why) => {
      const before = seen(heart);
      heart.store.betweenSlices = () => {
        heart.store.betweenSlices = () => {};
        meanwhile();
      };
      await expect(rename()).rejects.toThrow(why);
      expect(seen(heart)).toEqual(before);
      expect(seen(await heart.crash())).toEqual(before);
    },
  );
});

describe('A change of a profile with many users', () => {
  it.each([
    ['an edit', () => edit(NEW), ['new', ['default', 'web'], 1]],
    ['a rename', () => rename(), ['old', ['default', 'www'], 0]],
  ] as const)(
    'such as %s also reaches an instance that begins to use it meanwhile',
    async (_what, change, after) => {
      let id = 0;
      heart.store.betweenSlices = () => {
        heart.store.betweenSlices = () => {};
        ({ id } = heart.add('late', { profiles: ['default', 'web'] }));
      };
      await change();
      for (const of of [heart, await heart.crash()]) {
        const { profiles } = of.model.current(id);
        expect([of.model.view(id)?.config.get('user.role'), profiles, eventsOf(of, id).length]).toEqual(
          after,
        );
      }
    },
  );
});

describe('The end of the daemon', () => {
  const steps = [1, 2, 3, 4].flatMap((step) => [[step, 'before'] as const, [step, 'after'] as const]);

  it.each(steps)(
    'at step %i of a large change, %s it is written, leaves all or nothing',
    async (step, when) => {
      for (const change of [() => edit(NEW), () => rename()]) {
        heart = await crowd();
        const before = seen(heart);
        heart.store.dieAtStep(step, when);
        await expect(change()).rejects.toThrow('died');
        const next = await heart.crash();
        const isDone = step === 4 && when === 'after';
        expect(seen(next).length).toBe(1);
        if (!isDone) expect(seen(next)).toEqual(before);
        else expect(seen(next)).not.toEqual(before);
        expect(await tidied(next)).toEqual(seen(next));
      }
    },
  );

  it.each([1, 2])('at step %i of the moves after a large change loses nothing', async (step) => {
    await edit(NEW);
    const after = seen(heart);
    heart.store.dieAtStep(step, 'before');
    expect(() => tidyAll(heart)).toThrow('died');
    const next = await heart.crash();
    expect(seen(next)).toEqual(after);
    expect(await tidied(next)).toEqual(after);
  });
});

function tidyAll(of: Heart): void {
  while (of.store.isUntidy) of.store.tidy();
}

/** What a later daemon finds, after everything is moved or dropped. */
async function tidied(of: Heart): Promise<unknown[]> {
  tidyAll(of);
  return seen(await of.crash());
}

describe('A record that is written after a large change', () => {
  it('wins over the staged one, also before that is moved', async () => {
    await edit(NEW);
    const instance = { ...heart.get('c1'), description: 'newer' };
    heart.model.commit([
      { kind: 'put-instance', instance },
      { kind: 'delete-instance', id: 2 },
    ]);
    const next = await heart.crash();
    expect(next.get('c1').description).toBe('newer');
    expect(next.model.hasInstance('c2')).toBe(false);
    tidyAll(next);
    const last = await next.crash();
    expect(last.get('c1').description).toBe('newer');
    expect(last.model.hasInstance('c2')).toBe(false);
  });
});
