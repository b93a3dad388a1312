import { describe, expect, it } from 'vitest';
import type { ImageTemplate } from '../core/entities.ts';
import { planFiles, whyUnsupported } from './plan.ts';

const FACTS = {
  name: 'c1',
  architecture: 'x86_64',
  ephemeral: false,
  privileged: true,
  config: { 'user.a': 'A' },
  devices: { root: { type: 'disk', path: '/' } },
};

const template = (path: string, part: Partial<ImageTemplate> = {}): ImageTemplate => ({
  path,
  file: 'x.tpl',
  when: ['create'],
  createOnly: false,
  properties: {},
  text: '{{ trigger }} {{ path }}',
  unsupported: null,
  ...part,
});

describe('The plan of a start', () => {
  it('has the templates of each trigger, in the order of the triggers', () => {
    const templates = [
      template('/both', { when: ['create', 'start'] }),
      template('/create'),
      template('/start', { when: ['start'], createOnly: true }),
      template('/copy', { when: ['copy'] }),
      template('/never', { when: [] }),
    ];
    expect(planFiles(templates, ['create', 'start'], FACTS)).toEqual([
      { path: '/both', createOnly: false, mayFail: false, text: 'create /both' },
      { path: '/create', createOnly: false, mayFail: false, text: 'create /create' },
      { path: '/both', createOnly: false, mayFail: true, text: 'start /both' },
      { path: '/start', createOnly: true, mayFail: true, text: 'start /start' },
    ]);
  });

  it('leaves out what is not supported', () => {
    expect(planFiles([template('/x', { unsupported: 'why', text: '{%' })], ['create'], FACTS)).toEqual([]);
  });

  it('gives templates the facts about their instance, and their own properties', () => {
    const text =
      '{% for k, v in instance %}{{ k }}={{ v }};{% endfor %}{{ config_get("user.a", "") }}{{ devices.root.type }}{{ properties.p }}';
    const [file] = planFiles([template('/x', { text, properties: { p: 'P' } })], ['create'], FACTS);
    expect(file?.text).toBe(
      'architecture=x86_64;ephemeral=false;name=c1;privileged=true;type=container;AdiskP',
    );
  });

  it('has maps in the order of their names, whatever order they are given in', () => {
    const text = '{% for d, o in devices %}{{ d }}:{% for k in o %}{{ k }},{% endfor %}{% endfor %}';
    const devices = { b: { z: '', y: '' }, a: {}, 1: {} };
    expect(planFiles([template('/x', { text })], ['create'], { ...FACTS, devices })[0]?.text).toBe(
      '1:a:b:y,z,',
    );
  });

  it('has a limited number of parts in all templates together', () => {
    const half = '{{a}}'.repeat(3_000);
    const templates = [template('/x', { text: half }), template('/y', { text: half })];
    expect(() => planFiles(templates, ['create'], FACTS)).toThrow('/y: it has too many parts');
  });

  it('parses a template once, even if it has two triggers', () => {
    const text = '{{a}}'.repeat(3_000);
    const both = template('/x', { text, when: ['create', 'start'] });
    expect(planFiles([both], ['create', 'start'], FACTS)).toHaveLength(2);
  });

  it('fails with the path of the template that fails', () => {
    expect(() => planFiles([template('/x', { text: '{{ config }}' })], ['create'], FACTS)).toThrow(
      '/x: a list or a map cannot be written as a text',
    );
  });
});

it.each([
  ['/etc/x', '{{ x }}', null],
  ['relative/x', '', null],
  ['/etc/x', '{% now "x" %}', 'the tag "now" is not supported, or at the wrong place'],
  ['/etc/', '', 'its path is not that of a file'],
  ['/etc/a\nb', '', 'its path is not that of a file'],
  ['', '', 'its path is not that of a file'],
  [`/${'x'.repeat(5_000)}`, '', 'its path is not that of a file'],
])('a template of %j with the text %j is unsupported because: %s', (path, text, why) => {
  expect(whyUnsupported({ path, text })).toBe(why);
});
