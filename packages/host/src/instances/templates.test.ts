import { beforeEach, expect, it } from 'vitest';
import type { ImageTemplate } from '../core/entities.ts';
import { BY, Heart } from './testing/heart.ts';

const FINGERPRINT = 'f'.repeat(64);
const WAITING = 'volatile.apply_template';

const template = (path: string, part: Partial<ImageTemplate> = {}): ImageTemplate => ({
  path,
  file: 'x.tpl',
  when: ['create'],
  createOnly: false,
  properties: {},
  text: '{{ trigger }} {{ instance.name }} {{ config_get("user.a", "none") }}',
  unsupported: null,
  ...part,
});

const TEMPLATES = [
  template('/create'),
  template('/start', { when: ['start'] }),
  template('/rename', { when: ['rename'] }),
  template('/left-out', { unsupported: 'why' }),
];

let heart: Heart;
const create = async (templates: readonly ImageTemplate[]) => {
  heart.addImage({ templates });
  const profiles = {
    profiles: null,
    config: {},
    devices: {},
    description: '',
    architecture: '',
    ephemeral: false,
  };
  const source = { type: 'image', fingerprint: FINGERPRINT } as const;
  await heart.done(await heart.host.instances.create({ name: 'c1', ...profiles, source }, BY));
};
beforeEach(async () => {
  heart = await Heart.begin();
});

const start = () => heart.setState('c1', 'start');
const files = () => {
  const { stored } = heart.machine.treeOf(heart.get('c1').id);
  return Object.fromEntries([...stored].map(([path, { bytes }]) => [path, String(bytes)]));
};

it('the first start writes the files of create and start', async () => {
  await create(TEMPLATES);
  expect(heart.get('c1').config[WAITING]).toBe('create');
  await start();
  expect(files()).toEqual({ '/create': 'create c1 none', '/start': 'start c1 none' });
  expect(heart.get('c1').config).not.toHaveProperty(WAITING);
});

it('later starts write the files of start', async () => {
  await create(TEMPLATES);
  await start();
  await heart.setState('c1', 'stop', { force: true });
  heart.machine.treeOf(heart.get('c1').id).stored.clear();
  await start();
  expect(files()).toEqual({ '/start': 'start c1 none' });
});

it('a rename has the files of rename written at the next start, but not instead of those of create', async () => {
  await create(TEMPLATES);
  await heart.done(await heart.host.instances.rename('c1', 'c2', BY));
  expect(heart.get('c2').config[WAITING]).toBe('create');
  await heart.setState('c2', 'start');
  await heart.setState('c2', 'stop', { force: true });
  await heart.done(await heart.host.instances.rename('c2', 'c1', BY));
  expect(heart.get('c1').config[WAITING]).toBe('rename');
  await start();
  expect(files()).toMatchObject({ '/create': 'create c2 none', '/rename': 'rename c1 none' });
});

it.each(['files', 'start'])('a start that fails at %s leaves its templates to the next one', async (verb) => {
  await create(TEMPLATES);
  const allow = heart.machine.faults.refuse(verb);
  await expect(start()).rejects.toThrow(`no ${verb}`);
  expect(heart.get('c1').config[WAITING]).toBe('create');
  allow();
  await start();
  expect(files()).toHaveProperty('/create');
});

it('a daemon that ends before the first start leaves the templates to the next one', async () => {
  await create(TEMPLATES);
  heart = await heart.crash();
  await start();
  expect(files()).toEqual({ '/create': 'create c1 none', '/start': 'start c1 none' });
});

it('a template that fails is named, and no instance runs without its file', async () => {
  await create([template('/x', { text: '{{ config }}' })]);
  await expect(start()).rejects.toThrow(
    'Failed to apply the templates of its image: /x: a list or a map cannot be written as a text',
  );
  expect(heart.status('c1')).toBe('Stopped');
});

it('a directory at the path of a file makes only the first start fail, because a guest could make it later', async () => {
  await create(TEMPLATES);
  const { stored } = heart.machine.treeOf(heart.get('c1').id);
  const facts = { type: 'directory', uid: 0, gid: 0, mode: 0o755, modified: '', size: 0 } as const;
  const block = (path: string) => stored.set(path, { facts, bytes: Buffer.from('') });
  block('/create');
  await expect(start()).rejects.toThrow('Failed to apply the templates of its image: ');
  stored.delete('/create');
  block('/start');
  await start();
  expect(files()).toEqual({ '/create': 'create c1 none', '/start': '' });
});

it('without templates no files are asked for', async () => {
  await create([]);
  heart.machine.faults.refuse('files');
  await start();
  expect(heart.status('c1')).toBe('Running');
});

it('the runtime names the host only if no template does', async () => {
  await create(TEMPLATES);
  await start();
  expect(heart.machine.runs.get(heart.get('c1').id)?.spec.namesHost).toBe(true);
});

it('a template for /etc/hostname has the last word', async () => {
  await create([template('/etc/hostname', { when: ['create', 'rename'] })]);
  await start();
  expect(heart.machine.runs.get(heart.get('c1').id)?.spec.namesHost).toBe(false);
});
