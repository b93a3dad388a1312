import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { anyCharacter } from '../base/testing/any-text.ts';
import type { Config } from './entities.ts';
import { mergedConfig } from './ssh-keys.ts';

const KEY = { 'cloud-init.ssh-keys.k': 'root:gh:u1' };
const PUBLIC = { 'cloud-init.ssh-keys.p': 'root:ssh-ed25519 AAAA me' };
const ONE_ID = { ssh_import_id: ['gh:u1'] };

const PLAIN = '#cloud-config\npackages: [vim]\n';
const USERS = '#cloud-config\nusers: [default]\n';
const NO_VENDOR = '#cloud-config\nvendor_data: {enabled: no}\n';
const SCRIPT = '#!/bin/sh\n';

const userData = (text: string, keys: Config = KEY) =>
  mergedConfig({ ...keys, 'cloud-init.user-data': text }).config.get('cloud-init.user-data');
const merged = (text: string, keys: Config = KEY): Record<string, unknown> =>
  parse(userData(text, keys) ?? '');

describe('mergedConfig without ssh keys', () => {
  it('gives every value exactly as it was set, including comments', () => {
    const text = '#cloud-config\nb: 1 # why\na:   [x,y]\n';
    const config = {
      'cloud-init.user-data': text,
      'cloud-init.ssh-keys.none': 'none',
      'limits.cpu': '1',
      'user.a': 'b',
    };
    const result = mergedConfig(config);
    expect([...result.config]).toEqual([
      ['cloud-init.ssh-keys.none', 'none'],
      ['cloud-init.user-data', text],
      ['user.a', 'b'],
    ]);
    expect(result.listed).toEqual(['cloud-init.user-data', 'user.a']);
    expect(result.warnings).toEqual([]);
  });
});

describe('mergedConfig with ssh keys', () => {
  it('makes user data if there is none, and lists no ssh keys', () => {
    const { listed, config } = mergedConfig(KEY);
    expect(listed).toEqual(['cloud-init.user-data']);
    expect(config.get('cloud-init.ssh-keys.k')).toBe('root:gh:u1');
    expect(config.get('cloud-init.user-data')).toBe(
      [
        '#cloud-config',
        'users:',
        '- name: root',
        '  ssh_import_id:',
        '  - gh:u1 #lxd:cloud-init.ssh-keys',
        '',
      ].join('\n'),
    );
  });

  it.each([
    // Set keys, then those that are listed, those with ssh keys first.
    [{ 'cloud-init.user-data': PLAIN }, ['cloud-init.user-data'], []],
    [{ 'user.user-data': PLAIN }, ['user.user-data'], []],
    [
      { 'cloud-init.user-data': PLAIN, 'user.user-data': PLAIN },
      ['cloud-init.user-data', 'user.user-data'],
      [],
    ],
    [{ 'cloud-init.vendor-data': PLAIN }, ['cloud-init.user-data', 'cloud-init.vendor-data'], []],
    [{ 'user.vendor-data': PLAIN }, ['cloud-init.user-data', 'user.vendor-data'], []],
    [{ 'cloud-init.user-data': SCRIPT }, ['cloud-init.vendor-data'], ['cloud-init.user-data']],
    [{ 'user.user-data': SCRIPT }, ['cloud-init.vendor-data'], ['user.user-data']],
    [
      { 'cloud-init.user-data': SCRIPT, 'user.vendor-data': PLAIN },
      ['user.vendor-data'],
      ['cloud-init.user-data'],
    ],
    [{ 'cloud-init.vendor-data': SCRIPT }, ['cloud-init.user-data'], ['cloud-init.vendor-data']],
    [
      { 'cloud-init.user-data': SCRIPT, 'cloud-init.vendor-data': SCRIPT },
      [],
      ['cloud-init.user-data', 'cloud-init.vendor-data'],
    ],
    [{ 'cloud-init.vendor-data': USERS }, ['cloud-init.vendor-data'], []],
    [
      { 'cloud-init.user-data': PLAIN, 'cloud-init.vendor-data': USERS },
      ['cloud-init.vendor-data'],
      ['cloud-init.user-data'],
    ],
    [{ 'user.user-data': USERS, 'user.vendor-data': USERS }, ['user.user-data', 'user.vendor-data'], []],
    [{ 'user.user-data': NO_VENDOR, 'user.vendor-data': USERS }, ['user.user-data', 'user.vendor-data'], []],
  ])('with %j: the keys are in %j, and %j stay as they are', (set, merged, others) => {
    const { config, listed } = mergedConfig({ ...KEY, ...set });
    expect(listed).toEqual([...merged, ...others].sort());
    for (const key of merged)
      expect([key, config.get(key)]).toEqual([key, expect.stringContaining('gh:u1 #lxd')]);
    for (const key of others) expect([key, config.get(key)]).toEqual([key, (set as Config)[key]]);
  });

  it('keeps the users of vendor data', () => {
    const vendor = '#cloud-config\nusers: [{name: root, ssh-import-id: gh:u2}]\n';
    const { config } = mergedConfig({ ...KEY, 'cloud-init.vendor-data': vendor });
    expect(parse(config.get('cloud-init.vendor-data') ?? '')).toEqual({
      users: [{ name: 'root', 'ssh-import-id': ['gh:u2', 'gh:u1'] }],
    });
  });

  it('warns of each text that it cannot merge into', () => {
    const { warnings } = mergedConfig({ ...KEY, 'cloud-init.vendor-data': SCRIPT, 'user.user-data': SCRIPT });
    expect(warnings).toEqual([
      'user.user-data: ssh keys are not merged, it is no cloud-config mapping',
      'cloud-init.vendor-data: ssh keys are not merged, it is no cloud-config mapping',
    ]);
  });

  it('reads vendor data from cloud-init.vendor-data before user.vendor-data', () => {
    const config = { ...KEY, 'cloud-init.vendor-data': '#cloud-config\n', 'user.vendor-data': USERS };
    expect(mergedConfig(config).config.has('cloud-init.user-data')).toBe(true);
    expect(mergedConfig({ ...KEY, 'user.vendor-data': USERS }).config.has('cloud-init.user-data')).toBe(
      false,
    );
  });

  it('adds each key and each id once, whatever the comment of a key is', () => {
    const keys = {
      ...KEY,
      ...PUBLIC,
      'cloud-init.ssh-keys.again': 'root:gh:u1',
      'cloud-init.ssh-keys.b': 'bob:lp:b',
      'cloud-init.ssh-keys.p2': 'root:ssh-ed25519 AAAA other comment',
      'cloud-init.ssh-keys.q': 'root:ssh-ed25519 BBBB me',
      'cloud-init.ssh-keys.q2': 'root:ssh-ed25519  BBBB  me again',
      'cloud-init.ssh-keys.r': 'root:from="10.0.0.1" ssh-ed25519 AAAA me',
    };
    const text =
      '#cloud-config\nusers:\n- name: root\n  ssh_authorized_keys: ssh-ed25519 AAAA mine\n  shell: /bin/sh\n';
    expect(merged(text, keys)).toEqual({
      users: [
        {
          name: 'root',
          shell: '/bin/sh',
          ...ONE_ID,
          ssh_authorized_keys: [
            'ssh-ed25519 AAAA mine',
            'ssh-ed25519 BBBB me',
            'from="10.0.0.1" ssh-ed25519 AAAA me',
          ],
        },
        { name: 'bob', ssh_import_id: ['lp:b'] },
      ],
    });
  });

  it.each([
    ['{name: root, ssh-import-id: [a]}', [{ name: 'root', 'ssh-import-id': ['a', 'gh:u1'] }]],
    [
      '{name: root, ssh-import-id: [a], ssh_import_id: [b]}',
      [{ name: 'root', 'ssh-import-id': ['a', 'gh:u1'], ssh_import_id: ['b', 'gh:u1'] }],
    ],
    [
      '{name: root}, {name: root, ssh_import_id: [a]}',
      [{ name: 'root' }, { name: 'root', ssh_import_id: ['a', 'gh:u1'] }],
    ],
    ['root, {name: root, shell: /x}', ['root', { name: 'root', shell: '/x', ...ONE_ID }]],
  ])('hides no list of users: [%s]', (users, expected) => {
    expect(merged(`#cloud-config\nusers: [${users}]\n`)).toEqual({ users: expected });
  });

  it.each([
    ['users: foo', ['foo', { name: 'root', ...ONE_ID }]],
    ['users: [root]', [{ name: 'root', ...ONE_ID }]],
    ['users: ""', [{ name: 'root', ...ONE_ID }]],
    ['users: []', [{ name: 'root', ...ONE_ID }]],
    ['users: [{name: other}, default]', [{ name: 'other' }, 'default', { name: 'root', ...ONE_ID }]],
    ['users: [&u {name: root}, *u]', [{ name: 'root', ...ONE_ID }, { name: 'root' }]],
  ])('merges into %s', (users, expected) => {
    expect(merged(`#cloud-config\n${users}\n`)).toEqual({ users: expected });
  });

  it.each([
    'invalid-yaml',
    '#cloud-config\n- a list\n',
    '#cloud-config\na: [\n',
    '#cloud-config\na: 1\na: 2\n',
    '#cloud-config\n---\na: 1\n---\nb: 1\n',
    'a: 1\nb: 2\n#cloud-config\n',
    '#cloud-configs\na: 1\n',
    '#cloud-config\nusers: 5\n',
    '#cloud-config\nusers:\n',
    '#cloud-config\nusers: {a: b}\n',
    '#cloud-config\nusers: [[x]]\n',
    '#cloud-config\nusers: [5]\n',
    '#cloud-config\nusers: [{name: root, ssh_import_id: {a: b}}]\n',
    '#cloud-config\nusers: [{name: root, ssh-import-id: 5}]\n',
    '#cloud-config\n<<: {users: []}\n',
    '#cloud-config\na: &a [*a]\n',
    '#cloud-config\na: !!str\n  b: c\n',
    `#cloud-config\na: ${'['.repeat(5000)}${']'.repeat(5000)}\n`,
    `#cloud-config\n${Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`)
      .join('\n')
      .replaceAll('*a-1', 'x')}\n`,
    `#cloud-config\na: ${'x'.repeat(64 * 1024)}\n`,
    '#cloud-config\n? [a, b]\n: c\n',
    '#cloud-config\na:\n- b: {{ v1.local_hostname }}\n',
    '#cloud-config\n{a: 1}: b\n',
    '#cloud-config\na: 1\n: b\n',
    '#cloud-config\na: b\rc: d\n',
    '#cloud-config\na: b\u2028c\n',
    '#cloud-config\na: b\u0085\n',
    '\ufeff#cloud-config\na: 1\n',
    '#!/bin/sh\n#cloud-config\na: 1\n',
    '#include\n#cloud-config\na: 1\n',
    '# mine\n#cloud-config\na: 1\n',
    '#cloud-config-archive\n- a\n',
    '#cloud-config-jsonp\n[{"op": "add"}]\n',
    '#cloud-boothook\n#cloud-config\na: 1\n',
    'Content-Type: multipart/mixed; boundary="=="\nMIME-Version: 1.0\n\n--==\nContent-Type: text/cloud-config\n\n#cloud-config\na: 1\n--==--\n',
    'MIME-Version: 1.0\n#cloud-config\n\na: 1\n',
    'Content-Type: text/cloud-config\r\n\r\n#cloud-config\r\na: 1\r\n',
    gzipSync(PLAIN).toString('base64'),
    gzipSync(PLAIN).toString('latin1'),
    gzipSync(PLAIN).toString('utf8'),
  ])('leaves a text that it cannot merge into as it is, and warns: %.60j', (text) => {
    const result = mergedConfig({ ...KEY, 'cloud-init.user-data': text });
    expect(result.config.get('cloud-init.user-data')).toBe(text);
    expect(result.warnings).toHaveLength(1);
    expect(result.warnings[0]).toMatch(/^cloud-init\.user-data: ssh keys are not merged, /);
  });

  it('keeps leading comment lines, and prints the rest as sorted block YAML with its comments', () => {
    const text = '#cloud-config\n# mine\nz: {b: 1, a: [x, y]} # why\na: "0644"\n';
    const lines = userData(text)?.split('\n');
    expect(lines?.slice(0, 3)).toEqual(['#cloud-config', '# mine', 'a: "0644"']);
    expect(userData(text)).toContain('z:\n  a:\n  - x\n  - y\n  b: 1\n  # why\n');
  });

  it('keeps CRLF line ends', () => {
    const text = userData('#cloud-config\r\nz: |\r\n  #!/bin/sh\r\n  ls\r\na: 1\r\n') ?? '';
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(parse(text)).toEqual({ a: 1, z: '#!/bin/sh\nls\n', users: [{ name: 'root', ...ONE_ID }] });
  });

  it('puts the mark first if the text begins with an empty line', () => {
    expect(userData('\n#cloud-config\na: 1\n')).toMatch(/^#cloud-config\n/);
  });

  it.each([
    'mode: 0644',
    'mode: "0644"',
    'on: yes',
    'time: 12:30:45',
    'day: 2001-12-14',
    'big: 12345678901234567890',
    'float: 1.10',
    'none:\ntilde: ~\nempty: ""',
    'text: |\n  #!/bin/sh\n  echo "a: b" # c\n\ntail: |+\n  x\n\nfolded: >-\n  a\n  b\n\n  c\n',
    `long: ${'word '.repeat(100)}end`,
    "quoted: 'it''s'\nescaped: \"\\x41\\n\\u00fc\"",
    'tagged: !!binary aGk=\nint: !!int "5"\nown: !mine {a: b}',
    '? a\n: c\n5: d',
    'base: &b {x: 1}\nuse: *b\nmore: [*b, *b]',
    'list: [a, [], {}, [b, {c: d}]]',
    '? a',
    'a: > # c',
    'b:\n- []\n- {}\n"": []',
    'users: [{name: x, y: z}]',
    'key with space: v\n"quoted: key": w',
    '---\na: 1\n...',
    'a: 1\r\nb: 2\r',
  ])('keeps the meaning of everything else: %.40j', (body) => {
    const text = `#cloud-config\n${body}\n`;
    for (const version of ['1.1', '1.2'] as const) {
      const options = { version, mapAsMap: true, merge: true, logLevel: 'silent' } as const;
      const before = parse(text, options) as Map<unknown, unknown>;
      const after = parse(userData(text) ?? '', options) as Map<unknown, unknown>;
      before.delete('users');
      after.delete('users');
      expect(new Set(after)).toEqual(new Set(before));
    }
    expect(userData(text)).toContain('#lxd:cloud-init.ssh-keys');
  });

  it.each(['123', 'yes', 'null', '0x1f', 'a: b', '# c', '- d', '2001-01-01', '<<'])(
    'adds a user called %j as text',
    (user) => {
      if (user.includes(':')) return;
      const [entry] = merged('', { k: '', 'cloud-init.ssh-keys.k': `${user}:gh:u1` })['users'] as [
        { name: unknown },
      ];
      expect(entry.name).toBe(user);
    },
  );

  const name = fc.string({ minLength: 1, maxLength: 6 }).filter((text) => !text.includes(':'));
  const bodies = fc.dictionary(
    fc.string({ maxLength: 6 }).filter((key) => !['users', '<<', '__proto__'].includes(key)),
    fc.jsonValue({ maxDepth: 3, noUnicodeString: false } as object),
  );

  it('adds users to any mapping without other changes', () => {
    const style = fc.record({
      collectionStyle: fc.constantFrom('any', 'block', 'flow'),
      indent: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(bodies, style, name, (body, options, user) => {
        const text = `#cloud-config\n${stringify(body, options as object)}`;
        fc.pre(JSON.stringify(parse(text) ?? {}) === JSON.stringify(body));
        // cloud-init's YAML 1.1 ends a line there; the next test has one.
        fc.pre(!/[\u0085\u2028\u2029]/.test(text));
        const { users, ...rest } = merged(text, { 'cloud-init.ssh-keys.k': `${user}:gh:u1` });
        expect(users).toEqual([{ name: user, ...ONE_ID }]);
        expect(rest).toEqual(body);
      }),
      { numRuns: 100 },
    );
  });

  it('leaves a mapping byte for byte that has a line end of YAML 1.1 which cannot be printed again', () => {
    const text = '#cloud-config\na:\n- "\u0085"\n';
    expect(userData(text)).toBe(text);
  });

  it('lists exactly the keys that have a value, except ssh keys', () => {
    const texts = fc.constantFrom(
      '',
      'x',
      '#cloud-config\n',
      '#cloud-config\nusers: []\n',
      '#cloud-config\nusers: 1\n',
    );
    const data = fc.constantFrom(
      'user.user-data',
      'cloud-init.user-data',
      'user.vendor-data',
      'cloud-init.vendor-data',
    );
    const other = fc.constantFrom('user.a', 'user.__proto__', 'security.devlxd', 'cloud-init.ssh-keys.k');
    fc.assert(
      fc.property(
        fc.dictionary(data, texts),
        fc.dictionary(other, fc.constantFrom('', 'a', 'root:k', 'a b:c d')),
        (one, two) => {
          const { config, listed } = mergedConfig({ ...one, ...two });
          const readable = [...config].filter(
            ([key, value]) => value !== '' && !key.startsWith('cloud-init.ssh-keys.'),
          );
          expect(listed).toEqual(readable.map(([key]) => key).sort());
          for (const key of listed) expect(key).toMatch(/^(user|cloud-init)\./);
        },
      ),
    );
  });

  it('never throws, for any texts', () => {
    const text = fc
      .oneof(fc.string({ unit: anyCharacter }), fc.string())
      .map((body) => `#cloud-config\n${body}`);
    fc.assert(
      fc.property(text, fc.string({ unit: anyCharacter }), (some, key) => {
        mergedConfig({
          'user.user-data': some,
          'cloud-init.ssh-keys.k': `root:${key}`,
          'cloud-init.ssh-keys.l': key,
        });
      }),
      { numRuns: 200 },
    );
  });
});
