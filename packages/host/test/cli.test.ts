import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { parse } from 'yaml';
import { type Finished, run } from '../src/process/run.ts';
import type { OperationJson } from '../src/wire/operation.ts';
import { until } from './harness/api.ts';
import { BIN, mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';
import { Terminal } from './harness/terminal.ts';
import { REFUSED_COMMANDS } from './tables/refused-commands.ts';

let daemon: TestDaemon;
let operator: Operator;
let scratch: string;
/** The terminal on which the first image is built. */
let building: Terminal;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  operator = new Operator(daemon);
  scratch = mkdtempSync('/var/tmp/porthole-test-cli-');
  // Instances run as other users, who must be able to enter it.
  chmodSync(scratch, 0o755);
  building = new Terminal(join(BIN, 'porthole'), ['image', 'build', 'busybox'], environment());
  expect([await building.ended, building.text]).toEqual([0, expect.stringContaining('Image imported')]);
  await Promise.all([operator.launch('c1', { config: { 'user.colour': 'blue' } }), operator.create('c2')]);
});

afterAll(async () => {
  await daemon?.destroy();
  rmSync(scratch, { recursive: true, force: true });
  expect(mountsBelow(daemon.stateDir)).toEqual([]);
});

const environment = () => ({ PORTHOLE_DIR: daemon.stateDir });

/** Runs one command line; a string is split at spaces. */
function porthole(words: string | readonly string[], input = ''): Promise<Finished> {
  const args = typeof words === 'string' ? words.split(' ') : words;
  const env = { ...(process.env as Record<string, string>), ...environment() };
  return run(join(BIN, 'porthole'), args, { env, input, timeoutMs: 30_000 });
}

/** Runs a command line that must succeed. @returns its standard output */
async function result(words: string | readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await porthole(words, input);
  expect([words, code, stderr]).toEqual([words, 0, expect.not.stringContaining('Error')]);
  return stdout;
}

/** Runs several command lines, one after the other; none of them may print anything to standard output. */
async function quietly(...all: string[]): Promise<void> {
  for (const words of all) expect([words, await result(words)]).toEqual([words, '']);
}

/** The size reaches the console a moment after its client. */
async function untilSize(terminal: Terminal, size: string): Promise<void> {
  terminal.type(`until [ "$(stty size 2>/dev/null)" = "${size}" ]; do usleep 20000; done; echo fits\\ now\r`);
  await terminal.sees('fits now');
}

/** The rows of `list -f csv`. */
const listed = async (words: string) => (await result(words)).trimEnd().split('\n');

describe('instances', () => {
  it('are launched and created; progress goes to standard error', async () => {
    const { code, stdout, stderr } = await porthole('launch busybox a1 -c user.role=web -e');
    expect([code, stdout, stderr]).toEqual([0, '', 'Creating a1\nStarting a1\n']);
    const name = await result('init --empty -q -c user.role=none');
    expect(name).toMatch(/^\S+\n$/);
    const rows = await listed('list -f csv -c ns,user.role user.role=.+');
    expect(rows.toSorted()).toEqual(['a1,RUNNING,web', `${name.trim()},STOPPED,none`].toSorted());
    await quietly(`delete -q a1 ${name.trim()} --force`);
    expect(await result('list -f csv user.role=.+')).toBe('');
  });

  it('are listed as table, csv, json, yaml and compact', async () => {
    const all = (format: string) => result(`list -c ns -f ${format}`);
    const [table, csv, json, yaml, compact] = await Promise.all(
      ['table', 'csv', 'json', 'yaml', 'compact'].map(all),
    );
    const line = '+------+---------+\n';
    const rows = ['| NAME |  STATE  |', '| c1   | RUNNING |', '| c2   | STOPPED |'];
    expect(table).toBe(line + rows.map((row) => `${row}\n${line}`).join(''));
    expect(csv).toBe('c1,RUNNING\nc2,STOPPED\n');
    expect(compact).toBe('NAME  STATE\nc1    RUNNING\nc2    STOPPED\n');
    const named = [
      { name: 'c1', status: 'Running' },
      { name: 'c2', status: 'Stopped' },
    ];
    expect(JSON.parse(json as string)).toMatchObject(named);
    expect(parse(yaml as string)).toMatchObject(named);
  });

  it('start, pause, restart and stop, several at once', async () => {
    await quietly('start c2', 'pause c1 c2');
    expect(await listed('list -f csv -c s')).toEqual(['FROZEN', 'FROZEN']);
    await quietly('start --all', 'restart -f c2');
    expect(await listed('list -f csv -c s')).toEqual(['RUNNING', 'RUNNING']);
    await quietly('stop c2 --timeout 20', 'rename c2 c3', 'rename c3 c2');
    expect(await listed('list --fast -f csv status=stopped')).toEqual([expect.stringMatching('^c2,STOPPED')]);
    const { code, stdout, stderr } = await porthole('start nobody c2');
    expect([code, stdout, stderr]).toEqual([1, '', 'Error: nobody: Instance not found\n']);
    await quietly('stop -f c2');
  });

  it.each(['no', 'yes'])(
    'are deleted or kept as answered on the terminal, which is released afterwards: %s',
    async (word) => {
      const terminal = new Terminal(join(BIN, 'porthole'), ['delete', '-i', 'nobody'], environment());
      await terminal.sees('Remove nobody (yes/no): ');
      terminal.type(`${word}\n`);
      await terminal.sees(word === 'no' ? 'User aborted delete operation' : 'Instance not found');
      expect(await terminal.ended).toBe(1);
    },
  );

  it('are described by info, and so is the daemon', async () => {
    expect(await result('info c1')).toMatch(/^Name: c1\nStatus: RUNNING\n[\s\S]*Memory \(current\): /);
    expect(await result('info c1 --show-log')).toContain('\nLog:\n');
    expect(JSON.parse(await result('info c1 -f json'))).toMatchObject({ name: 'c1', status: 'Running' });
    const pid = await operator.pid('c1');
    expect(JSON.parse(await result('inspect c1'))).toMatchObject({
      name: 'c1',
      profiles: ['default'],
      state: { pid },
    });
    expect((await porthole('inspect nobody')).stderr).toBe('Error: Instance not found\n');
    expect(await result('info')).toContain(`State directory: ${daemon.stateDir}\n`);
    expect(parse(await result('info -f yaml'))).toMatchObject({ api_version: '1.0' });
    expect(await result('version')).toMatch(/^Client version: (\S+)\nServer version: \1\n$/);
  });
});

describe('exec', () => {
  it('keeps the streams separate, and exits with the code of the command', async () => {
    const script = 'cat; echo $A $PWD $(id -u); echo wrong >&2; exit 7';
    const options = ['--env', 'A=b', '--cwd', '/tmp', '--user', '5', '--group', '6'];
    const words = ['exec', 'c1', ...options, '--', 'sh', '-c', script];
    const { code, stdout, stderr } = await porthole(words, 'in\n');
    expect([code, stdout, stderr]).toEqual([7, 'in\nb /tmp 5\n', 'wrong\n']);
    expect(await porthole('exec c1 -- /none')).toMatchObject({ code: 127, stdout: '' });
    expect(await porthole(['exec', 'c1', '--', 'sh', '-c', 'kill -9 $$'])).toMatchObject({ code: 137 });
  });

  it('gives the command a terminal when it runs on one', async () => {
    expect(await porthole('exec c1 -- test -t 1')).toMatchObject({ code: 1 });
    const terminal = new Terminal(join(BIN, 'porthole'), ['exec', 'c1', '--', 'sh'], environment());
    await terminal.sees('# ');
    terminal.type('tty; stty size; exit 3\n');
    await terminal.sees('/dev/');
    await terminal.sees('50 200');
    expect(await terminal.ended).toBe(3);
  });
});

describe('config', () => {
  it('is set, read, unset, shown and edited', async () => {
    await quietly('config set c2 user.a=1 user.b=%s', 'config set c2 user.c 3', 'config unset c2 user.a');
    expect(await result('config set c2 user.d -', 'of\nlines\n')).toBe('');
    const keys = ['a', 'b', 'c', 'd'].map((key) => result(`config get c2 user.${key}`));
    expect(await Promise.all(keys)).toEqual(['\n', '%s\n', '3\n', 'of\nlines\n\n']);
    const shown = await result('config show c2');
    expect(parse(shown)).toMatchObject({ config: { 'user.b': '%s' }, profiles: ['default'] });
    expect(await result('config edit c2', shown.replace('user.b', 'user.z'))).toBe('');
    expect(await result('config get c2 user.z -e')).toBe('%s\n');
  });

  it('has devices, which take effect in a running instance', async () => {
    writeFileSync(join(scratch, 'shared'), 'shared');
    await quietly(`config device add -q c1 d disk source=${scratch} path=/mnt/d`);
    expect(await result('exec c1 -- cat /mnt/d/shared')).toBe('shared');
    expect(await result('config device get c1 d path')).toBe('/mnt/d\n');
    await quietly('config device set c1 d readonly=true');
    expect(parse(await result('config device show c1'))).toMatchObject({ d: { readonly: 'true' } });
    await quietly('config device unset c1 d readonly');
    expect(await result('config device list c1 -f csv')).toBe(`d,disk,"source=${scratch}\npath=/mnt/d"\n`);
    await quietly('config device remove -q c1 d');
    expect(JSON.parse(await result('config device list c1 -f json'))).toEqual([]);
  });
});

it('profiles are created, changed, copied, renamed, assigned, edited and deleted', async () => {
  await quietly('profile create -q web', 'profile set web user.p=1 user.q=2', 'profile unset web user.q');
  await quietly('profile device add -q web e none', 'profile copy web web2', 'profile rename -q web2 site');
  expect(await result('profile get site user.p')).toBe('1\n');
  await quietly(
    'profile add -q c2 web',
    'config device override -q c2 e',
    'profile assign -q c2 default,site',
  );
  expect(await result('config get c2 user.p --expanded')).toBe('1\n');
  expect(await result('profile device list site -f csv')).toBe('e,none,\n');
  expect(await listed('profile list -f csv')).toEqual([
    'default,Default Porthole profile,2',
    'site,,1',
    'web,,0',
  ]);
  expect(await porthole('profile delete site')).toMatchObject({ code: 1, stdout: '' });
  await quietly('profile remove -q c2 site', 'config device remove -q c2 e', 'profile delete -q site');
  const shown = await result('profile show web');
  expect(parse(shown)).toMatchObject({ name: 'web', config: { 'user.p': '1' }, devices: { e: {} } });
  expect(await result('profile edit web', 'config: {user.r: "9"}\ndescription: edited\n')).toBe('');
  expect(parse(await result('profile list -f yaml'))[1]).toMatchObject({ description: 'edited' });
  await quietly('profile delete -q web');
});

it('images are exported, given aliases, changed, edited, deleted and imported', async () => {
  const file = join(scratch, 'image.tar.gz');
  expect(await porthole(`image export busybox ${file}`)).toMatchObject({ code: 0, stdout: '' });
  const fingerprint = /[0-9a-f]{64}/.exec(await result('image info busybox'))?.[0] ?? '';
  expect(await porthole(`image export busybox ${scratch}`)).toMatchObject({ code: 0, stdout: '' });
  expect(await readdir(scratch)).toContain(`${fingerprint}.tar.gz`);
  await quietly(`image alias create one ${fingerprint}`, 'image alias rename one two');
  expect(await listed('image alias list two -f csv')).toEqual([`two,${fingerprint.slice(0, 12)},CONTAINER,`]);
  await quietly('image alias create three two');
  expect(await listed('image alias list three -f csv')).toEqual([
    `three,${fingerprint.slice(0, 12)},CONTAINER,`,
  ]);
  await quietly(
    'image alias delete three',
    'image alias delete two',
    'image set-property busybox release 99',
  );
  expect(await result('image get-property busybox release')).toBe('99\n');
  await quietly('image unset-property busybox release', 'image set-cached busybox true');
  expect(await result('image info busybox')).toMatch(/^Fingerprint: [0-9a-f]{64}\n[\s\S]*Cached: yes\n/);
  const shown = await result('image show busybox');
  expect(parse(shown)).toMatchObject({ public: false, properties: { os: 'BusyBox' } });
  expect(await result('image edit busybox', shown.replace('public: false', 'public: true'))).toBe('');
  expect(await listed('image list -f csv -c lp')).toEqual(['busybox,yes']);
  await quietly('image delete busybox');
  expect(JSON.parse(await result('image list -f json'))).toEqual([]);
  expect(await result(`image import ${file} os=Other --alias busybox`)).toMatch(
    /^Image imported with fingerprint: [0-9a-f]{64}\n$/,
  );
  expect(JSON.parse(await result('image list os=other -f json'))).toHaveLength(1);
});

describe('files', () => {
  it('are pushed and pulled with modes and links, whole directories too', async () => {
    const tree = join(scratch, 'tree');
    expect((await run('mkdir', ['-p', join(tree, 'sub')])).ok).toBe(true);
    writeFileSync(join(tree, 'sub/f'), 'content', { mode: 0o751 });
    symlinkSync('sub/f', join(tree, 'l'));
    await quietly(`file push -r ${tree} c2/srv`, `file pull -r c2/srv/tree ${scratch}/back`);
    expect(readFileSync(join(scratch, 'back/tree/sub/f'), 'utf8')).toBe('content');
    expect(statSync(join(scratch, 'back/tree/sub/f')).mode & 0o7777).toBe(0o751);
    expect(readlinkSync(join(scratch, 'back/tree/l'))).toBe('sub/f');
  });

  it('are copied by cp, into an instance and out of it', async () => {
    const [file, back] = [join(scratch, 'a:b'), join(scratch, 'copied')];
    writeFileSync(file, 'to be copied', { mode: 0o640 });
    await quietly(`cp ${file} c2:/srv/`, `cp c2:/srv/a:b ${back}`);
    expect([readFileSync(back, 'utf8'), statSync(back).mode & 0o7777]).toEqual(['to be copied', 0o640]);
    expect((await porthole(`cp c1:/etc/hosts c2:/etc/hosts`)).stderr).toMatch('Between two instances');
  });

  it('may have any bytes in their names, when pushed and when pulled', async () => {
    const names = ['caf\xe9', '\x1b]0;x\x07', 'cut \xe2\x82', 'new\nline %ff'];
    const tree = join(scratch, 'bytes');
    const at = (top: string, ...parts: readonly string[]) => Buffer.from([top, ...parts].join('/'), 'latin1');
    mkdirSync(tree);
    for (const name of names) {
      mkdirSync(at(tree, name));
      writeFileSync(at(tree, name, name), `content of ${names.indexOf(name)}`);
      symlinkSync(at(name, name), at(tree, `${name}.l`));
    }
    await quietly(`file push -r ${tree} c2/root`, `file pull -r c2/root/bytes ${scratch}/returned`);
    const all = (top: string) => readdirSync(top, { encoding: 'latin1', recursive: true }).toSorted();
    expect(all(join(scratch, 'returned/bytes'))).toEqual(all(tree));
    for (const name of names) {
      const top = join(scratch, 'returned/bytes');
      expect(readFileSync(at(top, name, name), 'utf8')).toBe(`content of ${names.indexOf(name)}`);
      expect(readlinkSync(at(top, `${name}.l`), 'latin1')).toBe(`${name}/${name}`);
    }
    const inside = at(daemon.stateDir, 'instances/2/overlay/upper/root/bytes').toString();
    expect(all(inside)).toEqual(all(tree));
  });

  it('come from standard input, go to standard output, are edited and deleted', async () => {
    expect(await result('file push - c1/root/new/f -p --mode 640 --uid 7 --gid 8', 'one')).toBe('');
    expect(await result('file edit c1/root/new/f', 'two')).toBe('');
    const facts = ['exec', 'c1', '--', 'stat', '-c', '%a %u %g', '/root/new/f'];
    expect(await result(facts)).toBe('640 7 8\n');
    expect(await result('file pull c1/root/new/f -')).toBe('two');
    await quietly('file delete c1/root/new/f c1/root/new');
    expect(await porthole('file pull c1/root/new/f -')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('the daemon', () => {
  it('reports events as they happen', async () => {
    const env = { ...process.env, ...environment() };
    const words = ['monitor', '--type', 'lifecycle', '-f', 'json'];
    const child = spawn(join(BIN, 'porthole'), words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = lines.next();
    // The test cannot see when the monitor begins to listen, so it causes events until one arrives.
    let told = false;
    void first.then(() => {
      told = true;
    });
    for (let n = 0; !told; n++) await operator.patch('c2', { config: { 'user.n': String(n) } });
    expect(JSON.parse((await first).value as string)).toMatchObject({
      type: 'lifecycle',
      metadata: { action: 'instance-updated', source: '/1.0/instances/c2' },
    });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  });

  it('shows operations, and refuses to cancel one that cannot be cancelled', async () => {
    const running = operator.exec('c1', ['sh', '-c', 'while [ ! -e /tmp/over ]; do :; done']);
    const rows = JSON.parse(await result('operation list -f json')) as OperationJson[];
    const id = rows.find(({ status, class: kind }) => status === 'Running' && kind === 'websocket')?.id;
    expect(parse(await result(`operation show ${id}`))).toMatchObject({ id, status: 'Running' });
    const { code, stdout, stderr } = await porthole(`operation delete ${id}`);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^Error: .+\n$/)]);
    await operator.sh('c1', 'touch /tmp/over');
    expect((await running).code).toBe(0);
  });

  it('answers any request of porthole query', async () => {
    const url = '/1.0/instances/c2';
    expect(JSON.parse(await result(`query ${url}`))).toMatchObject({ name: 'c2' });
    const json = '{"config":{"user.q":"1"}}';
    await result(['query', '-X', 'PATCH', '-d', json, url]);
    expect(await result('config get c2 user.q')).toBe('1\n');
    const change = ['query', '-X', 'PUT', '-d', '{"action":"start"}', `${url}/state`, '--wait'];
    expect(JSON.parse(await result(change))).toMatchObject({ status: 'Success' });
    await quietly('stop -f c2');
  });
});

describe('a command that fails', () => {
  it.concurrent.each(REFUSED_COMMANDS)(
    'reports its error on standard error: %s',
    async (words, code, error) => {
      const answer = await porthole(words);
      expect([answer.code, answer.stdout]).toEqual([code, '']);
      expect(answer.stderr.replaceAll(/^(Creating|Starting) .*\n/gm, '')).toMatch(/^Error: /);
      expect(answer.stderr).toContain(error.replace(/^error: /, ''));
    },
  );

  it('says how to start the daemon when none runs', async () => {
    const { code, stdout, stderr } = await porthole(['list', '--state-dir', scratch]);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('Start it with: portholed\n')]);
  });
});

it('progress is shown on a terminal, and nowhere else', async () => {
  expect(building.text).toMatch(/\d+%/);
  const image = join(scratch, 'large.tar');
  // Long enough for several reads; the daemon says only at the end that it is not an image.
  writeFileSync(image, Buffer.alloc(8 * 1024 * 1024));
  const terminal = new Terminal(join(BIN, 'porthole'), ['image', 'import', image], environment());
  await terminal.sees('Uploading [');
  await terminal.sees('% ');
  await terminal.sees('Error: ');
  expect(await terminal.ended).toBe(1);
  const { stdout, stderr } = await porthole('image build busybox');
  expect(stdout + stderr).not.toMatch(/%|\r|\x1b/);
});

/** Text typed before the tab key, text on the line after it, text typed then, and output of the command. */
const COMPLETIONS = [
  ['porthole config get c1 user.col', 'user.colour', '', 'blue'],
  ['porthole info --for', '--format', 'json c1', '"status": "Running"'],
  ['porthole profile show def', 'default', '', 'Default Porthole profile'],
  ['porthole image info busy', 'busybox', '', 'Fingerprint: '],
  ['porthole config device get c1 not', 'nothing', ' type', 'none'],
  ['porthole file pull c1/etc/pass', 'c1/etc/passwd', ' -', 'root:x:0:0'],
  [
    'porthole config set c1 boot.autostart.d',
    'boot.autostart.delay=',
    '7; porthole config show c1',
    'boot.autostart.delay: "7"',
  ],
  ['porthole vers', 'version', '', 'Server version: '],
] as const;

it.each([
  ['bash', ['--norc', '--noprofile'], ''],
  ['zsh', ['-f'], 'autoload -Uz compinit; compinit -u -D;'],
] as const)('the tab key completes in %s', async (shell, args, setup) => {
  await operator.device('c1', 'nothing', { type: 'none' });
  const terminal = new Terminal(shell, [...args, '-i'], environment());
  terminal.type(`${setup} source <(porthole completion ${shell}); PS1=rea''dy\\>\n`);
  for (const [typed, completed, more, printed] of COMPLETIONS) {
    await terminal.sees('ready>');
    terminal.type(`${typed}\t`);
    await terminal.sees(completed);
    terminal.type(`${more}\n`);
    await terminal.sees(printed);
  }
  terminal.close();
  await operator.device('c1', 'nothing', null);
});

it('fish completes what the others do', async () => {
  const script = 'porthole completion fish | source; complete -C "$argv[1]"';
  const completed = async (typed: string) => {
    const { PATH = '' } = process.env;
    const env = { ...(process.env as Record<string, string>), ...environment(), HOME: scratch };
    const { ok, failure, stdout } = await run('fish', ['-c', script, typed], {
      env: { ...env, PATH: `${BIN}:${PATH}` },
      timeoutMs: 30_000,
    });
    return ok ? stdout : failure;
  };
  expect(await completed('porthole config get c1 user.col')).toBe('user.colour\n');
  expect(await completed('porthole cp c1:/etc/pass')).toContain('c1:/etc/passwd\n');
  expect(await completed('porthole wait c1 --for rea')).toBe('ready\n');
  writeFileSync(join(scratch, 'an image'), '');
  expect(await completed(`porthole image import ${scratch}/an`)).toContain('image');
});

describe('waiting', () => {
  it('ends with what is waited for: ready, a key, stopped, running', async () => {
    const [ready, key] = [
      result('wait c1 --for ready --timeout 30'),
      result('wait c1 --for user.colour=red'),
    ];
    await result(['exec', 'c1', 'devlxd', '-d', '{"state":"Ready"}', '/1.0']);
    await quietly('config set c1 user.colour=red');
    expect(await Promise.all([ready, key])).toEqual(['', '']);
    await quietly('config set c1 user.colour=blue');
    const stopped = result('wait c2 --for stopped -f json');
    expect(JSON.parse(await stopped)).toMatchObject({ name: 'c2', status: 'Stopped' });
    const running = result('wait c2 --for running');
    await quietly('start c2');
    expect(await running).toBe('');
    const ended = result('wait c2 --for stopped');
    await quietly('kill c2');
    expect(await ended).toBe('');
  });

  it('ends with a sentence at its time limit, or without an instance', async () => {
    expect(await porthole('wait c2 --for running --timeout 1')).toMatchObject({
      code: 1,
      stderr: 'Error: After 1 second c2 is not running: it is STOPPED\n',
    });
    expect(await porthole('wait nobody --for ready')).toMatchObject({
      code: 1,
      stderr: 'Error: Instance not found\n',
    });
  });
});

describe('the console', () => {
  it('takes keys and shows output, and one at a time has it', async () => {
    const attach = () => new Terminal(join(BIN, 'porthole'), ['console', 'c1'], environment());
    const terminal = attach();
    await terminal.sees('press: <ctrl>+a q');
    terminal.type('\r');
    await terminal.sees('/ # ');
    terminal.type('echo sum=$((40 + 2))\r');
    await terminal.sees('sum=42');
    await untilSize(terminal, '50 200');
    const second = attach();
    await second.sees('Error: This console is already connected');
    expect(await second.ended).toBe(1);
    terminal.type('\x01q');
    expect(await terminal.ended).toBe(0);
    expect(await result('console c1 --show-log')).toContain('sum=42\r\n');
    expect(await result('logs c1')).toContain('sum=42\n');
  });

  it('needs a terminal, and ends at once without one', async () => {
    const { code, stderr } = await porthole('console c1', 'x\n');
    expect([code, stderr]).toEqual([2, expect.stringContaining('A console needs a terminal')]);
  });

  it('is followed by logs -f, also over a reboot', async () => {
    const child = spawn(join(BIN, 'porthole'), ['logs', '-f', 'c1'], {
      env: { ...process.env, ...environment() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const sees = async (text: string) => {
      for (let line = await lines.next(); !line.done; line = await lines.next())
        if (line.value.includes(text)) return;
      throw new Error(`the log ended before ${text}`);
    };
    await sees('sum=42');
    await result(['exec', 'c1', '--', 'sh', '-c', 'echo a new line > /dev/console']);
    await sees('a new line');
    const before = await operator.pid('c1');
    // The program ends together with the instance, so its exit code says nothing.
    await porthole('exec c1 -- reboot');
    await until('it has rebooted', async () => ![0, before].includes(await operator.pid('c1')));
    await result(['exec', 'c1', '--', 'sh', '-c', 'echo after the reboot > /dev/console']);
    await sees('after the reboot');
    child.kill('SIGINT');
    await once(child, 'exit');
  });

  it('floods fill neither the disk nor the daemon, and hold up nothing', async () => {
    const deaf = new Terminal(join(BIN, 'porthole'), ['console', 'c1'], environment());
    await deaf.sees('press: <ctrl>+a q');
    await result([
      'exec',
      'c1',
      '--',
      'sh',
      '-c',
      'dd if=/dev/zero bs=1k count=2000 2>/dev/null | tr "\\0" x > /dev/console',
    ]);
    deaf.close();
    expect((await result('console c1 --show-log')).length).toBeLessThanOrEqual(2 * 128 * 1024 + 4096);
    expect(await result('exec c1 echo fine')).toBe('fine\n');
  });
});

it('exec takes the names of users and groups of the instance', async () => {
  const add = 'echo ann:x:1234:1235::/tmp:/bin/sh >> /etc/passwd; echo crew:x:77: >> /etc/group';
  await result(['exec', 'c1', '--', 'sh', '-c', add]);
  const shown = ['sh', '-c', 'echo $(id -u) $(id -g) $HOME $USER $PWD'];
  expect(await result(['exec', 'c1', '--user', 'ann', ...shown])).toBe('1234 1235 /tmp ann /tmp\n');
  expect(await result(['exec', 'c1', '--user', 'ann', '--group', 'crew', ...shown])).toMatch(/^1234 77 /);
  expect(await result('shell c1 --user ann', 'echo $0 $(id -u) $PWD\n')).toBe('/bin/sh 1234 /tmp\n');
  expect(await porthole('exec c1 --user bob id')).toMatchObject({
    code: 1,
    stderr: 'Error: There is no user "bob" in c1: its /etc/passwd has none\n',
  });
});
