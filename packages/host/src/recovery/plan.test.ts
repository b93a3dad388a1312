import { describe, expect, test as it } from 'vitest';
import type { Image, Instance, Profile, State } from '../core/entities.ts';
import { planRecovery, type Sources } from './plan.ts';

const NOW = new Date('2026-11-28T20:00:00Z');
const F = (digit: string) => digit.repeat(64);

const instance = (id: number, name: string, part: Partial<Instance> = {}): Instance => ({
  ...{ id, name, architecture: 'x86_64', description: '', ephemeral: false, profiles: [], config: {} },
  ...{ devices: {}, createdAt: '', lastStartedAt: '' },
  ...part,
});
const profile = (name: string): Profile => ({ name, description: 'p', config: {}, devices: {} });
const image = (fingerprint: string) => ({ fingerprint, size: 1 }) as Image;

const state = (part: {
  instances?: Instance[];
  profiles?: Profile[];
  images?: Image[];
  aliases?: { name: string; target: string; description: string }[];
}): State => ({
  instances: new Map(part.instances?.map((each) => [each.id, each])),
  profiles: new Map(part.profiles?.map((each) => [each.name, each])),
  images: new Map(part.images?.map((each) => [each.fingerprint, each])),
  aliases: new Map(part.aliases?.map((each) => [each.name, each])),
});
const NO_NUMBERS = { position: 0, lastInstanceId: 0 };
const copyOf = (of: State) => ({ state: of, position: 10, lastInstanceId: 5 });
const plan = (part: Partial<Sources>) =>
  planRecovery({
    ...{
      directoryId: 'd',
      copy: null,
      records: state({}),
      numbers: NO_NUMBERS,
      folders: [],
      imageFolders: [],
    },
    now: NOW,
    ...part,
  });
const namesOf = ({ rebuilt }: ReturnType<typeof plan>) =>
  [...rebuilt.state.instances.values()].map(({ id, name }) => `${id} ${name}`);
const noteOf = ({ items }: ReturnType<typeof plan>, name: string) =>
  items.find((each) => each.name === name)?.note;

describe('a recovery from a copy', () => {
  const copy = copyOf(state({ instances: [instance(1, 'c1')], profiles: [profile('default')] }));

  it('has all objects of the copy, and adds objects that only the records have', () => {
    const records = state({
      instances: [instance(1, 'renamed'), instance(6, 'c6')],
      profiles: [{ ...profile('default'), description: 'newer' }, profile('web')],
    });
    const made = plan({ copy, records, folders: [1, 6] });
    expect(namesOf(made)).toEqual(['1 c1', '6 c6']);
    expect(
      [...made.rebuilt.state.profiles.values()].map((each) => `${each.name} ${each.description}`),
    ).toEqual(['default p', 'web p']);
  });

  it('keeps the folders of unknown instances and images', () => {
    const made = plan({ copy, folders: [1, 7], imageFolders: [F('a')] });
    expect(made.rebuilt.keptFolders).toEqual([7]);
    expect(made.rebuilt.keptImages).toEqual([F('a')]);
    expect(noteOf(made, 'instances/7')).toBe('nothing is known about it: the files are kept');
  });

  it('keeps an instance without files, and says so', () => {
    const made = plan({ copy });
    expect(namesOf(made)).toEqual(['1 c1']);
    expect(noteOf(made, 'c1')).toBe('its files are missing');
  });

  it('gives a newer instance another name if an instance of the copy has its name', () => {
    const records = state({ instances: [instance(6, 'c1'), instance(7, 'recovered-6')] });
    const made = plan({ copy, records, folders: [1, 6, 7] });
    expect(namesOf(made)).toEqual(['1 c1', '6 recovered-6', '7 recovered-7']);
    expect(noteOf(made, 'recovered-6')).toContain('its name was c1');
  });

  it('makes a lost profile again, empty, so that its instances can be shown', () => {
    const records = state({ instances: [instance(6, 'c6', { profiles: ['lost'] })] });
    const made = plan({ copy, records, folders: [1, 6] });
    expect(made.rebuilt.state.profiles.get('lost')).toMatchObject({ config: {}, devices: {} });
    expect(noteOf(made, 'lost')).toContain('its content is lost');
  });
});

describe('a recovery from records alone', () => {
  it('has each object whose files are there', () => {
    const records = state({
      instances: [
        instance(1, 'c1'),
        instance(2, 'deleted'),
        instance(3, 'adopted', { config: { 'volatile.adopted': 'x' } }),
      ],
      images: [image(F('a')), image(F('b'))],
      aliases: [
        { name: 'good', target: F('a'), description: '' },
        { name: 'dangling', target: F('b'), description: '' },
      ],
    });
    const made = plan({ records, folders: [1], imageFolders: [F('a')] });
    expect(namesOf(made)).toEqual(['1 c1', '3 adopted']);
    expect([...made.rebuilt.state.images.keys()]).toEqual([F('a')]);
    expect([...made.rebuilt.state.aliases.keys()]).toEqual(['good']);
  });
});

describe('numbers that are never given twice', () => {
  it('begin after all that may have been given since the copy', () => {
    const { rebuilt } = plan({
      copy: copyOf(state({})),
      numbers: { position: 20, lastInstanceId: 6 },
      folders: [9],
    });
    expect(rebuilt.lastInstanceId).toBeGreaterThan(9 + 100_000);
    expect(rebuilt.position).toBeGreaterThan(20 + 1e9);
    expect(Number.isSafeInteger(rebuilt.position)).toBe(true);
  });

  it('grow from one recovery to the next, also if no source knows of the last one', () => {
    const first = plan({}).rebuilt.position;
    const second = plan({ now: new Date(NOW.getTime() + 1_000) }).rebuilt.position;
    expect(second - first).toBe(1_000_000);
  });

  it('grow if the clock was set back', () => {
    const first = plan({}).rebuilt.position;
    const copy = { ...copyOf(state({})), position: first };
    expect(plan({ copy, now: new Date(0) }).rebuilt.position).toBeGreaterThan(first + 1e9);
  });
});
