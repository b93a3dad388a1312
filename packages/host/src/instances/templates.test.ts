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

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  const templates = [
    template('/create'),
    template('/start', { when: ['start'] }),
    template('/rename', { when: ['rename'] }),
    template('/left-out', { unsupported: 'why' }),
  ];
  heart.addImage({ templates });
  await heart.create('c1', { source: { type: 'image', fingerprint: FINGERPRINT } });
});

const files = () =>
  Object.fromEntries(
    [...heart.machine.treeOf(heart.get('c1').id).stored].map(([path, { bytes }]) => [path, String(bytes)]),
  );

it('the first start writes the files of create and start, later ones those of start', async () => {
  expect(heart.get('c1').config[WAITING]).toBe('create');
  await heart.start('c1');
  expect(files()).toEqual({ '/create': 'create c1 none', '/start': 'start c1 none' });
  expect(heart.get('c1').config).not.toHaveProperty(WAITING);
});

it('a start that fails, or is cut off, leaves the trigger for the next one', async () => {
  heart.machine.faults.fail('start');
  await expect(heart.start('c1')).rejects.toThrow();
  expect(heart.get('c1').config[WAITING]).toBe('create');
});

void BY;
