import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTemplate } from './parse.ts';
import { newBudget, render } from './render.ts';
import { TEMPLATE_LIMITS, TemplateError } from './template-error.ts';
import { mapOf } from './values.ts';

const instance = mapOf({ name: 'c1', type: 'container' });
const VARIABLES = mapOf({
  trigger: 'create',
  path: '/etc/x',
  container: instance,
  instance,
  config: mapOf({ 'user.data': '#cloud-config <x> & "y"', 'user.list': 'a,b' }),
  devices: new Map([['root', mapOf({ path: '/', type: 'disk' })]]),
  properties: mapOf({ foo: 'bar', empty: '', html: "<b>&'" }),
});

const made = (template: string) => render(parseTemplate(template), VARIABLES, newBudget());
const failure = (template: string) => {
  try {
    return `no failure: ${made(template)}`;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
};

// Results as LXD 5.0.2 and pongo2 4.0.2 have them.
describe('A template', () => {
  it.each([
    ['{{ container.name }} {{ instance.name }} {{ trigger }} {{ path }}\n', 'c1 c1 create /etc/x\n'],
    ['{{ properties.html }}{{ properties.html|safe }}', "<b>&'<b>&'"],
    ['{{ properties.html|escape }}', '&lt;b&gt;&amp;&#39;'],
    ['{{ properties.nope }}|{{ nope }}|{{ nope.nope }}', '||'],
    [
      '{{ properties.nope|default:"d" }} {{ properties.empty|default:"e" }} {{ properties.foo|default:"d" }}',
      'd e bar',
    ],
    ['{{ properties.foo|upper|lower|capfirst }} {{ properties.foo|length }}', 'Bar 3'],
    ['{{ "a,b"|split:","|join:"-" }} {{ "abc"|first }}{{ "abc"|last }} {{ "abcb"|cut:"b" }}', 'a-b ac ac'],
    [
      '{{ nope|yesno }} {{ true|yesno:"a,b" }} {{ ""|yesno:"a,b" }} {{ nope|default_if_none:"n" }}',
      'maybe a b n',
    ],
    ['{{ config_get("user.data", properties.default) }}', '#cloud-config <x> & "y"'],
    ['{{ config_get("user.nope", "x<y") }} {{ config_get("user.nope", properties.foo) }}', 'x<y bar'],
    [
      '{{ config_get("user.nope", "") == "" }} {{ 5 == "5" }} {{ 1 <> 2 }} {{ nope == "" }}',
      'True False True False',
    ],
    ['{% if properties.foo == "x" %}1{% elif properties.foo != "x" %}2{% else %}3{% endif %}', '2'],
    ['{% if not nope and (0 or "0") && !false || false %}a{% endif %}', 'a'],
    [
      '{% if "a" in properties.foo %}a{% endif %}{% if "foo" in properties %}b{% endif %}{% if "q" in "x" %}c{% endif %}',
      'ab',
    ],
    ['{% if not "zz" in properties %}a{% else %}b{% endif %}', 'b'],
    ['{% for k, v in properties %}{{ k }}={{ v }};{% endfor %}', "empty=;foo=bar;html=<b>&';"],
    [
      '{% for k in properties reversed sorted %}{{ forloop.Counter }}{{ k }}{% if not forloop.Last %},{% endif %}{% endfor %}',
      '1html,2foo,3empty',
    ],
    [
      '{% for d, o in devices %}{{ d }}:{% for k, v in o %}{{ k }}={{ v }} {% endfor %}{% endfor %}',
      'root:path=/ type=disk ',
    ],
    ['{% for a in nope %}x{% empty %}none{% endfor %}', 'none'],
    ['{% for a in "ab" %}{{ a }}{{ forloop.First }};{% endfor %}{{ a }}', 'aTrue;bFalse;'],
    ['a{# a comment {{ #}b{% comment %}{{ x }}\n{% foo %}{% endcomment %}c', 'abc'],
    ['  {%- if true -%}  a  {%- endif -%}  b\n', 'ab\n'],
    ['{{ "x" -}}  \n\n  y  {{- "z" }}', 'xyz'],
    ['{{ "}}" }}{{ "a\\"b\\\\" }}{{ \'a"b\' }}', '}}a"b\\a"b'],
    ['a }} b %} c #} { %', 'a }} b %} c #} { %'],
    ['a\r\n{{ "x" }}\r\n', 'a\r\nx\r\n'],
    ['', ''],
  ])('%j is %j', (template, text) => {
    expect(made(template)).toBe(text);
  });

  it('can be one of those that images of public servers have', () => {
    const network =
      '{%- if config_get("cloud-init.network-config", "") == "" -%}\n{%- if config_get("user.network-config", "") == "" -%}\n' +
      'version: 1\nname: {% if instance.type == "virtual-machine" %}enp5s0{% else %}eth0{% endif %}\n{%- else -%}\n' +
      '{{- config_get("user.network-config", "") -}}\n{%- endif -%}\n{%- else -%}\n' +
      '{{- config_get("cloud-init.network-config", "") -}}\n{%- endif %}\n';
    expect(made(network)).toBe('version: 1\nname: eth0\n');
  });
});

describe('A template is refused', () => {
  it.each([
    ['{% include "/etc/shadow" %}', 'the tag "include" is not supported, or at the wrong place'],
    ['{% extends "x" %}', 'the tag "extends" is not supported, or at the wrong place'],
    ['{% import "x" y %}', 'the tag "import" is not supported, or at the wrong place'],
    ['{% ssi "/etc/shadow" %}', 'the tag "ssi" is not supported, or at the wrong place'],
    ['{{ x|nofilter }}', 'the filter "nofilter" is not supported'],
    ['{{ nofunction("x") }}', 'the function "nofunction" is not supported'],
    ['{{ config_get("x") }}', 'config_get takes a key and a default'],
    ['{{ 1 + 2 }}', '"+" is not supported in an expression'],
    ['{{ 5.5 }}', '"5" is not supported in an expression'],
    ['{{ config["x"] }}', '"[" is not supported in an expression'],
    ['{{ a b }}', '"b" where the end was expected'],
    ['{{ }}', 'the end where a name was expected'],
    ['{{ x', 'a "{{" or "{%" has no end'],
    ['{{ "x }}', 'a text in quotes has no end, or an unknown escape sequence'],
    ['{{\n x }}', 'a line break inside of "{{ }}" or "{% %}"'],
    ['{# x', 'a comment "{#" has no end'],
    ['{# a\nb #}', 'a comment "{# #}" has more than one line: use {% comment %}'],
    ['{% comment %}x', 'the tag "comment" has no end'],
    ['{% if true %}x', 'the tag "if" has no end'],
    ['{% if true %}x{% endfor %}', 'the tag "endfor" is not supported, or at the wrong place'],
    ['{% for x y %}{% endfor %}', 'the tag "for" has no "in"'],
    ['{{ instance.name.x }}', '"x" of a text does not exist'],
    ['{{ config }}', 'a list or a map cannot be written as a text'],
    ['{{ "x"|yesno:"a" }}', 'the filter "yesno" takes two or three words, separated by commas'],
  ])('%j: %s', (template, message) => {
    expect(failure(template)).toBe(message);
  });

  it.each([
    ['deep tags', '{% if true %}'.repeat(2_000), 'its tags are nested too deeply'],
    ['deep parentheses', `{{ ${'('.repeat(5_000)} }}`, 'its expressions are nested too deeply'],
    ['nested calls', `{{ ${'config_get('.repeat(4_000)} }}`, 'its expressions are nested too deeply'],
    ['long chains', `{{ a${' or a'.repeat(4_000)} }}`, 'too many "or" in one expression'],
    ['long rows of filters', `{{ a${'|upper'.repeat(4_000)} }}`, 'too many filters in one expression'],
    ['long rows of members', `{{ a${'.b'.repeat(33)} }}`, 'too many members in one variable'],
    ['many tokens', `{{ ${'a '.repeat(30_000)} }}`, 'it has too many parts, or those before it have'],
    ['many outputs', '{{a}}'.repeat(11_000), 'it has too many parts, or those before it have'],
    ['many members', `{{a${'.b'.repeat(30)}}}`.repeat(900), 'it has too many parts, or those before it have'],
    ['many comments', '{##}'.repeat(11_000), 'it has too many parts, or those before it have'],
    ['a long text', 'x'.repeat(65_537), 'it has more than 65536 characters'],
  ])('for %s', (_what, template, message) => {
    expect(failure(template)).toBe(message);
  });

  const LONG = `"${'a'.repeat(60_000)}"`;
  const SLOW = `"${'a'.repeat(300)}b${'a'.repeat(400)}"`;
  const loops = (count: number, inside: string) =>
    `${`{% for x in "${'y'.repeat(1_000)}" %}`.repeat(count)}${inside}${'{% endfor %}'.repeat(count)}`;

  it.each([
    ['loops in loops', loops(6, ''), 'it takes too much work'],
    ['a long text', loops(1, 'abcde'.repeat(400)), 'its text becomes too long'],
    [
      'filters of long texts',
      loops(2, `{{ "${'z'.repeat(10_000)}"|upper|length }}`),
      'it takes too much work',
    ],
    [
      'comparisons of long texts',
      loops(2, `{% if "${'z'.repeat(9_999)}" == "z" %}{% endif %}`),
      'it takes too much work',
    ],
    ['members', loops(1, `{% if a${'.b'.repeat(30)} %}{% endif %}`.repeat(30)), 'it takes too much work'],
    // A search compares 300 characters at nearly each place of this text.
    ['a search by "in"', `{% if ${SLOW} in ${LONG} %}{% endif %}`, 'it takes too much work'],
    ['a search by "split"', `{{ ${LONG}|split:${SLOW}|length }}`, 'it takes too much work'],
    ['a search by "cut"', `{{ ${LONG}|cut:${SLOW}|length }}`, 'it takes too much work'],
  ])('for %s', (_what, template, message) => {
    expect(failure(template)).toBe(message);
  });

  it('but not for a search of the size found in real templates', () => {
    expect(made(`{% if "${'x'.repeat(60)}" in ${LONG} %}{% endif %}`)).toBe('');
    expect(made(`{{ ${LONG}|split:"bbb"|length }}`)).toBe('1');
  });
});

it('all templates of one budget share its work', () => {
  const budget = newBudget();
  const nodes = parseTemplate(`{{ "${'x'.repeat(50_000)}" }}`);
  const times = Array.from({ length: 1_000 }, () => {
    try {
      return render(nodes, VARIABLES, budget).length;
    } catch {
      return 0;
    }
  });
  expect(times.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(TEMPLATE_LIMITS.work);
});

it('whatever a template is made of, it gives a text of limited size or a TemplateError', () => {
  const words = [
    ...[
      '{{',
      '}}',
      '{%',
      '%}',
      '{#',
      '#}',
      '-',
      '{%-',
      '-%}',
      ' ',
      '\n',
      '"',
      "'",
      '\\',
      '|',
      ':',
      '.',
      ',',
      '(',
      ')',
    ],
    ...[
      'if',
      'elif',
      'else',
      'endif',
      'for',
      'in',
      'empty',
      'endfor',
      'comment',
      'endcomment',
      'sorted',
      'reversed',
    ],
    ...[
      'and',
      'or',
      'not',
      '==',
      '!=',
      'true',
      '5',
      '"a"',
      'x',
      'config',
      'devices',
      'properties',
      'instance',
      'name',
    ],
    ...[
      'config_get',
      'config_get("user.data", "x")',
      'upper',
      'join',
      'split',
      'first',
      'default',
      'yesno',
      'forloop',
    ],
    ...[
      '{% if x %}',
      '{% else %}',
      '{% endif %}',
      '{% for a, b in devices %}',
      '{% endfor %}',
      '{{ config|length }}',
    ],
  ];
  const pieces = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 5 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(pieces, (parts) => {
      for (const template of [parts.join(''), parts.join(' ')]) {
        try {
          expect(made(template).length).toBeLessThanOrEqual(TEMPLATE_LIMITS.output);
        } catch (error) {
          if (!(error instanceof TemplateError)) throw error;
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
