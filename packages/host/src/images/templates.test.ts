import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from './image-limits.ts';
import { type TemplateRule, TemplateTexts } from './templates.ts';

const LIMITS = { ...DEFAULT_LIMITS, templates: 3, templateBytes: 100 };

const rule = (file: string, path = '/etc/x'): TemplateRule => ({
  path,
  file,
  when: ['create'],
  createOnly: false,
  properties: {},
});

const textsOf = (texts: Readonly<Record<string, string>>) => {
  const found = new TemplateTexts();
  for (const [name, text] of Object.entries(texts)) found.add(name, text, LIMITS);
  return found;
};

describe('The templates of an image', () => {
  it('are its rules with their texts; several can have one text, and other files are ignored', () => {
    const found = textsOf({ 'a.tpl': '{{ x }}', README: '{% x' }).join(
      [rule('a.tpl'), rule('a.tpl', '/y')],
      LIMITS,
    );
    expect(found.map(({ path, text, unsupported }) => [path, text, unsupported])).toEqual([
      ['/etc/x', '{{ x }}', null],
      ['/y', '{{ x }}', null],
    ]);
  });

  it.each([
    ['none.tpl', 'the image has no file "templates/none.tpl"'],
    ['', 'it names no template'],
    ['bad.tpl', 'the tag "now" is not supported, or at the wrong place'],
  ])('are kept with the reason why they are left out: %j', (file, reason) => {
    expect(textsOf({ 'bad.tpl': '{% now %}' }).join([rule(file)], LIMITS)[0]?.unsupported).toBe(reason);
  });

  it('share a limit on their parts, and are left out beyond it', () => {
    const text = '{{a}}'.repeat(3_000);
    const texts = new TemplateTexts();
    texts.add('a', text, DEFAULT_LIMITS);
    const [first, second] = texts.join([rule('a'), rule('a')], DEFAULT_LIMITS);
    expect([first?.unsupported, second?.unsupported]).toEqual([
      null,
      'it has too many parts, or those before it have',
    ]);
  });

  it.each([
    [
      'rules',
      () => textsOf({}).join(Array<TemplateRule>(4).fill(rule('x')), LIMITS),
      'it has more than 3 templates',
    ],
    ['files', () => textsOf({ a: '', b: '', c: '', d: '' }), 'it has more than 3 templates'],
    [
      'bytes',
      () => textsOf({ a: 'x'.repeat(60), b: 'x'.repeat(60) }),
      'its templates have more than 100 bytes',
    ],
    [
      'bytes in all rules',
      () => textsOf({ a: 'x'.repeat(60) }).join([rule('a'), rule('a')], LIMITS),
      'its templates have more than 100 bytes',
    ],
  ])('are limited: %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });
});
