import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { type Finished, run } from '../src/process/run.ts';
import { BIN, mountsBelow } from './harness/daemon.ts';
import { LxcClient } from './harness/lxc.ts';
import { Operator } from './harness/operator.ts';
import { Terminal } from './harness/terminal.ts';

let lxc: LxcClient;
let operator: Operator;

beforeAll(async () => {
  lxc = await LxcClient.start();
  operator = new Operator(lxc.daemon);
  await operator.create('c1');
});

afterAll(async () => {
  await lxc?.destroy();
  expect(mountsBelow(lxc.daemon.stateDir)).toEqual([]);
});

function porthole(words: string, input = ''): Promise<Finished> {
  const env = { ...(process.env as Record<string, string>), PORTHOLE_DIR: lxc.daemon.stateDir };
  return run(join(BIN, 'porthole'), words.split(' '), { env, input, timeoutMs: 30_000 });
}

async function result(words: string, input = ''): Promise<string> {
  const { code, stdout, stderr } = await porthole(words, input);
  expect([words, code, stderr]).toEqual([words, 0, expect.not.stringContaining('Error')]);
  return stdout;
}

const profile = (name: string) =>
  operator.client.get<{ config: Record<string, string>; devices: object }>(`/1.0/profiles/${name}`);

describe('an editor on a terminal', () => {
  /** Starts an edit of c1 in an editor that reports its start, and presses Ctrl-C there. */
  async function interrupt(script: string): Promise<Terminal> {
    const editor = join(lxc.folder, 'editor');
    writeFileSync(editor, `#!/bin/sh\n${script}`, { mode: 0o755 });
    const env = { PORTHOLE_DIR: lxc.daemon.stateDir, EDITOR: editor, VISUAL: '' };
    const terminal = new Terminal(join(BIN, 'porthole'), ['config', 'edit', 'c1'], env);
    await terminal.sees('editing');
    terminal.type('\x03');
    return terminal;
  }

  it('gets Ctrl-C for itself, and its text is saved', async () => {
    const terminal = await interrupt(`
      trap 'echo interrupted' INT
      echo editing
      until read line; do :; done
      sed -i 's/^config:/config:\\n  user.typed: '"$line/" "$1"`);
    await terminal.sees('interrupted');
    terminal.type('after\n');
    expect([await terminal.ended, terminal.text]).toEqual([0, expect.not.stringContaining('Error')]);
    expect((await operator.get('c1')).config['user.typed']).toBe('after');
  });

  it('that ends at Ctrl-C leaves everything as it was, and its text in a file', async () => {
    const terminal = await interrupt('echo half: >> "$1"; echo editing; exec sleep 60');
    await terminal.sees('Error: ');
    await terminal.sees('Your text is kept in ');
    expect(await terminal.ended).toBe(1);
    expect((await operator.get('c1')).config['user.typed']).toBe('after');
    const kept = terminal.text.trim();
    expect((await run('rm', ['-r', join(kept, '..')])).ok).toBe(true);
  });
});

/** Texts that YAML 1.1 or 1.2 reads as something else when they are not quoted, or that are hard to quote. */
const HARD = [
  ...'yes No ON off y N true Null ~ 1:30 190:20:30 1_000 0777 010 08 0x1F 0o17 0b11 1.50 1e3 1E400 .5 5. -0 +12'.split(
    ' ',
  ),
  ...'2024-01-02 2024-01-02T10:00:00Z .inf -.Inf .nan = << 12345678901234567890 1.2.3 10.0.0.1/24 08:00 --- ...'.split(
    ' ',
  ),
  ...[
    '2001-12-14 21:59:43.1 -5',
    'a: b',
    'a #b',
    '- x',
    '? x',
    '!x',
    '&x',
    '*x',
    '%x',
    '@x',
    '`x',
    '|',
    '>-',
    '{a',
  ],
  ...[
    '[a',
    "'",
    '"',
    '\\',
    ' lead',
    'trail ',
    'tab\tinside',
    '\tlead',
    'two\nlines',
    'end\n',
    'more\n\n',
    '\nstart',
  ],
  ...[' \n', '  in\nout', 'é\u{1f600}', '\u0001', '\u0085', '\u2028', '\ufeff', '\ufffe', '\u202e'],
];

describe('YAML', () => {
  it.each(['profile edit p1', 'config edit c1'])('of %s needs no quotes, as with lxc', async (words) => {
    await porthole('profile create p1');
    // What lxc 5.0.2 sends for the same to LXD; the last three unset their keys.
    const plain = [
      '2',
      'true',
      'yes',
      '1.50',
      '0x10',
      '0777',
      '1:30',
      '2024-01-02',
      '1e3',
      '=',
      '~',
      'null',
      '',
    ];
    const lines = plain.map((value, index) => `  user.k${index}: ${value}\n`).join('');
    const yaml = `config:\n  limits.cpu: 2\n  boot.autostart: false\n${lines}description: 1.10\n`;
    const own = words.startsWith('config') ? 'profiles: [default]\nephemeral: no\n' : '';
    expect(await result(words, yaml + own)).toBe('');
    const [kind, , name] = words.split(' ');
    const { config } = kind === 'config' ? await operator.get(name!) : await profile(name!);
    const kept = Object.entries(config).filter(([key]) => !key.startsWith('volatile.'));
    const values = Object.fromEntries(plain.slice(0, -3).map((value, index) => [`user.k${index}`, value]));
    expect(Object.fromEntries(kept)).toEqual({ 'limits.cpu': '2', 'boot.autostart': 'false', ...values });
    expect(await result(words.replace('edit', 'show'))).toContain('description: "1.10"\n');
  });

  it('of show is read by Python, LXD’s client and Porthole as the same texts', async () => {
    const config = Object.fromEntries(HARD.map((value, index) => [`user.k${index}`, value]));
    for (const value of HARD.filter((text) => /^[!-~]+$/.test(text))) config[`user.${value}`] = value;
    for (const name of ['hard', 'copy']) {
      await operator.client.change('POST', '/1.0/profiles', { json: { name, config: {} } });
    }
    await operator.client.change('PUT', '/1.0/profiles/hard', { json: { config } });
    const shown = await result('profile show hard');
    const program =
      'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin.buffer.read().decode()), sys.stdout)';
    const read = await run('/usr/bin/python3', ['-c', program], { input: shown });
    expect([read.stderr, JSON.parse(read.stdout).config]).toEqual(['', config]);
    expect(await lxc.feed(shown, 'profile', 'edit', 'copy')).toMatchObject({ ok: true });
    expect((await profile('copy')).config).toEqual(config);
    await operator.client.change('PUT', '/1.0/profiles/copy', { json: {} });
    await result('profile edit copy', shown);
    expect((await profile('copy')).config).toEqual(config);
  });
});

// Others of the prototype are tried in the unit tests.
const NAMES = ['constructor', '__proto__'];

describe.each(NAMES)('%s is a name like any other', (name) => {
  it('of a profile, a device, a key and an option', async () => {
    await result(`profile create ${name}`);
    await result(`profile device add ${name} ${name} nic nictype=p2p user.${name}=1`);
    await result(`profile set ${name} user.${name}=x`);
    const shown = await result(`profile show ${name}`);
    expect(shown).toContain(`config:\n  user.${name}: x\n`);
    expect(shown).toContain(`\n  ${name}:\n    nictype: p2p\n    type: nic\n    user.${name}: "1"\n`);
    await result(`profile edit ${name}`, shown.replace(`user.${name}: x`, `user.${name}: y`));
    expect(await result(`profile get ${name} user.${name}`)).toBe('y\n');
    expect(await lxc.must('profile', 'get', name, `user.${name}`)).toBe('y\n');
    expect(await lxc.feed(shown, 'profile', 'edit', name)).toMatchObject({ ok: true });
    expect(await result(`profile device list ${name} -f csv`)).toMatch(`${name},nic,`);
    expect(await result('profile list -f csv')).toMatch(`${name},,0`);
    expect(Object.keys((await profile(name)).devices)).toEqual([name]);
  });

  it('in instances, running ones too, and in what they read', async () => {
    await operator.launch('c2', { profiles: ['default', name] });
    expect(await operator.sh('c2', `devlxd /1.0/config/user.${name}`)).toBe('x');
    expect(JSON.parse(await operator.sh('c2', 'devlxd /1.0/devices'))[name].type).toBe('nic');
    await result(`config device override c2 ${name} mtu=1400`);
    await result(`config set c2 user.${name}=own`);
    expect(await operator.sh('c2', `devlxd /1.0/config/user.${name}`)).toBe('own');
    expect(await result(`config device get c2 ${name} mtu`)).toBe('1400\n');
    expect(await result(`list -f csv -c n,user.${name} user.${name}=own`)).toBe('c2,own\n');
    expect((await operator.get('c2')).config[`volatile.${name}.host_name`]).toMatch(/^veth/);
    await operator.state('c2', 'restart', { force: true });
    await result(`config device remove c2 ${name}`);
    await operator.state('c2', 'stop', { force: true });
    await operator.delete('c2');
  });

  it('of a property of an image', async () => {
    await result(`image set-property busybox ${name} 1.0`);
    expect(await result(`image get-property busybox ${name}`)).toBe('1.0\n');
    expect(await result(`image show busybox`)).toContain(`  ${name}: "1.0"\n`);
    expect(await result(`image list ${name}=1.0 -f csv -c l`)).toBe('busybox\n');
    await result(`image unset-property busybox ${name}`);
    expect(await result(`image list ${name}=1.0 -f csv -c l`)).toBe('');
  });

  it('that is not set has no value, and is refused where it means nothing', async () => {
    expect(await result(`config get c1 ${name}`)).toBe('\n');
    expect(await porthole(`image get-property busybox ${name}`)).toMatchObject({ code: 1 });
    expect(await result(`list -f csv ${name}=.+`)).toBe('');
    expect(await porthole(`config set c1 ${name}=x`)).toMatchObject({
      code: 1,
      stderr: `Error: Invalid config: Unknown configuration key: ${name}\n`,
    });
    expect(await porthole(`config device get c1 ${name} type`)).toMatchObject({
      stderr: "Error: Device doesn't exist\n",
    });
    expect((await porthole(name)).code).toBe(2);
  });
});
