import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, linkSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { type Answer, ask, parseAnswer, until } from './harness/api.ts';
import { CallerTools } from './harness/caller.ts';
import { mountsBelow, TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

let daemon: TestDaemon;
let tools: CallerTools;
let operator: Operator;
let fingerprint: string;
let init: number;

beforeAll(async () => {
  daemon = await TestDaemon.start();
  tools = new CallerTools();
  operator = new Operator(daemon);
  const built = await daemon.must('image', 'build', 'busybox');
  fingerprint = /[0-9a-f]{64}/.exec(built)?.[0] ?? '';
  await operator.launch('c1', { config: { 'user.foo': 'bar' } });
  init = await operator.pid('c1');
});
afterAll(async () => {
  tools?.[Symbol.dispose]();
  await daemon?.destroy();
  if (!daemon) return;
  expect([existsSync(daemon.stateDir), mountsBelow(daemon.stateDir)]).toEqual([false, []]);
  expect((await run('ps', ['-eo', 'args'])).stdout).not.toContain(daemon.stateDir);
});

const get = (target: string, ...args: string[]) => ask(daemon, { init }, target, ...args);
const set = (name: string, config: Readonly<Record<string, string | null>>) =>
  operator.patch(name, { config });
const request = (line: string, fields = '') => Buffer.from(`${line} HTTP/1.1\r\nHost: lxd\r\n${fields}\r\n`);
const exchange = (requests: readonly Buffer[]) => tools.exchange(init, daemon.guestSocket, requests);
const mountsInside = async (name: string) =>
  Number((await operator.exec(name, ['grep', '-c', ' /dev/lxd ', '/proc/self/mountinfo'])).stdout);

/** Collects all bytes that arrive on a connection. */
class Received {
  bytes = '';
  readonly ended: Promise<unknown>;

  constructor(socket: Socket) {
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.bytes += text;
    });
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => socket.once('close', resolve).once('end', resolve));
  }
}

describe('the identity of a caller', () => {
  it('stays with the connection after the process that connected has ended, until the run ends', async () => {
    await operator.launch('brief', { config: { 'user.foo': 'brief' } });
    const socket = await tools.handedOver(await operator.pid('brief'), daemon.guestSocket);
    const received = new Received(socket);
    const one = request('GET /1.0/config/user.foo').toString();
    for (let batch = 0; batch < 50; batch++) socket.write(one.repeat(20));
    await until('1000 answers', () => received.bytes.split('HTTP/1.1 200 OK').length === 1001);
    await until('1000 values', () => received.bytes.split('\r\n\r\nbrief').length === 1001);
    await operator.state('brief', 'stop', { force: true });
    await received.ended;
    await operator.state('brief', 'start');
    expect(received.bytes.split('HTTP/1.1').length).toBe(1001);
    socket.destroy();
    await operator.state('brief', 'stop', { force: true });
    await operator.delete('brief');
  });

  it('covers PID namespaces that a process under exec has made, two deep', async () => {
    const once = ['unshare', '-p', '-f', 'devlxd', '/1.0/config/user.foo'];
    expect((await operator.exec('c1', once)).stdout).toBe('bar');
    expect((await operator.exec('c1', ['unshare', '-p', '-f', ...once])).stdout).toBe('bar');
  });
});

describe('images', () => {
  const url = (name: string) => `/1.0/images/${name}/export`;
  const refusal = async (name: string) => {
    const { status, headers, body } = await get(url(name));
    return { status, headers: [...headers].filter(([field]) => field !== 'date'), body };
  };

  it('are not found by prefix, wildcard, alias or upper case, and are answered as unknown ones', async () => {
    await set('c1', { 'security.devlxd.images': 'true' });
    await operator.client.change('PATCH', `/1.0/images/${fingerprint}`, { json: { public: true } });
    const unknown = await refusal('f'.repeat(64));
    expect(unknown.status).toBe(404);
    const first = fingerprint.slice(0, 4);
    const names = [first, first.slice(0, 1), `${first.slice(0, 3)}_`, `${first.slice(0, 1)}%25`, '%25'];
    for (const name of [...names, 'busybox', fingerprint.toUpperCase(), `${fingerprint}0`]) {
      expect([name, await refusal(name)]).toEqual([name, unknown]);
    }
    expect((await get(url(fingerprint), '-o', '/dev/null', '-D', '-')).status).toBe(200);
  });

  it('that are private get the same answer, header for header, as those that do not exist', async () => {
    await operator.client.change('PATCH', `/1.0/images/${fingerprint}`, { json: { public: false } });
    expect(await refusal(fingerprint)).toEqual(await refusal('f'.repeat(64)));
  });
});

describe('the socket', () => {
  const facts = async () => {
    const { stdout } = await operator.exec('c1', ['stat', '-c', '%d %i', '/dev/lxd', '/dev/lxd/sock']);
    return stdout.trim().split('\n');
  };
  const numbers = (path: string) => {
    const { dev, ino } = statSync(path);
    return `${dev} ${ino}`;
  };

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'is a new one in the same folder after %s and a start, also inside an instance',
    async (signal) => {
      const folder = daemon.guestSocket.replace(/\/sock$/, '');
      const before = await facts();
      // While the old socket has a name, the new one cannot get its inode number by chance.
      const old = join(daemon.stateDir, 'old-sock');
      linkSync(daemon.guestSocket, old);
      await daemon.stop(signal);
      await daemon.start();
      const after = await facts();
      unlinkSync(old);
      expect(after).toEqual([numbers(folder), numbers(daemon.guestSocket)]);
      expect(after[0]).toBe(before[0]);
      expect(after[1]).not.toBe(before[1]);
      expect((await operator.exec('c1', ['devlxd', '/1.0/config/user.foo'])).stdout).toBe('bar');
      expect(await operator.pid('c1')).toBe(init);
    },
  );

  it('answers the first process of an instance, each time that it starts', async () => {
    await operator.launch('early', { config: { 'user.foo': 'early' } });
    await operator.sh(
      'early',
      'printf "#!/bin/sh\\ndevlxd /1.0/config/user.foo >>/root/first 2>&1\\necho >>/root/first\\nexec /sbin/init\\n" >/root/init; chmod +x /root/init',
    );
    await set('early', { 'raw.lxc': 'lxc.init.cmd = /root/init' });
    const lines = async () => (await operator.sh('early', 'cat /root/first')).split('\n');
    for (let start = 1; start <= 5; start++) {
      await operator.state('early', 'restart', { force: true });
      await until(`${start} answers`, async () => (await lines()).length === start);
    }
    expect(await lines()).toEqual(Array(5).fill('early'));
    await operator.state('early', 'stop', { force: true });
    await operator.delete('early');
  });

  it('gives whole answers or cannot be reached while the daemon restarts, never part of an answer', async () => {
    const poller = tools.spawn(init, 'poll.mjs', daemon.guestSocket);
    const ended = once(poller, 'exit');
    const lines = linesOf(poller);
    await until('it polls', () => lines.length === 1);
    for (let restart = 0; restart < 3; restart++) await daemon.restart();
    poller.stdin?.end();
    await ended;
    const seen = JSON.parse(lines[1] ?? '') as { whole: number; refused: number; odd: unknown[] };
    expect(seen.odd).toEqual([]);
    expect(Math.min(seen.whole, seen.refused)).toBeGreaterThan(0);
  });

  it('is mounted exactly once after any sequence of true values, and not at all after false', async () => {
    for (const value of ['true', null, 'yes', 'on', '1']) {
      await set('c1', { 'security.devlxd': value });
      expect([value, await mountsInside('c1')]).toEqual([value, 1]);
    }
    await set('c1', { 'security.devlxd': 'false' });
    expect(await mountsInside('c1')).toBe(0);
    expect((await operator.exec('c1', ['ls', '/dev/lxd'])).code).toBe(1);
    await set('c1', { 'security.devlxd': null });
    expect(await mountsInside('c1')).toBe(1);
    expect((await operator.get('c1')).config['security.devlxd']).toBeUndefined();
  });

  it('cannot be moved or removed by a privileged instance, and its folder takes no other files', async () => {
    await operator.launch('priv', { config: { 'security.privileged': 'true', 'user.foo': 'priv' } });
    const before = numbers(daemon.guestSocket);
    for (const command of ['mv sock x', 'rm -f sock', 'touch x', 'ln -s x y', 'chmod 0 sock', 'mkdir z']) {
      const { code, stderr } = await operator.exec('priv', ['sh', '-c', command], { cwd: '/dev/lxd' });
      expect([command, code, stderr]).toEqual([command, 1, expect.stringMatching(/Read-only/)]);
    }
    expect(numbers(daemon.guestSocket)).toBe(before);
    expect((await operator.exec('priv', ['devlxd', '/1.0/config/user.foo'])).stdout).toBe('priv');
    expect((await get('/1.0/config/user.foo')).body).toBe('bar');
    await operator.state('priv', 'stop', { force: true });
    await operator.delete('priv');
  });

  it('is mounted again by false and true after the instance has unmounted it', async () => {
    await operator.sh('c1', 'umount /dev/lxd');
    expect(await mountsInside('c1')).toBe(0);
    await set('c1', { 'security.devlxd': 'false' });
    await set('c1', { 'security.devlxd': 'true' });
    expect(await mountsInside('c1')).toBe(1);
    expect((await operator.exec('c1', ['devlxd', '/'])).stdout).toBe('["/1.0"]\n');
  });
});

describe('keys', () => {
  it('of any name are listed unescaped and read percent-encoded', async () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const made = fc.sample(
      name.filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text)),
      { numRuns: 40, seed: 1 },
    );
    const keys = [...new Set(['with space', 'sl/ash', 'q?x', 'pct%41', 'h#sh', 'üni', '../x', ...made])].map(
      (text) => `user.odd.${text}`,
    );
    await set('c1', Object.fromEntries(keys.map((key) => [key, `value of ${key}`])));
    const listed = (JSON.parse((await get('/1.0/config')).body) as string[])
      .map((path) => path.slice('/1.0/config/'.length))
      .filter((key) => key.startsWith('user.odd.'));
    expect([...listed].sort()).toEqual([...keys].sort());
    const gets = listed.map((key) => request(`GET /1.0/config/${encodeURIComponent(key)}`));
    const bodies = (await exchange(gets)).map((answer) => parseAnswer(answer.toString()).body);
    expect(bodies).toEqual(listed.map((key) => `value of ${key}`));
    await set('c1', Object.fromEntries(keys.map((key) => [key, null])));
  });

  it('keep the bytes of any UTF-8 value', async () => {
    const value = 'grün ☃ 🦊 \u0000'.slice(0, -1);
    await set('c1', { 'user.foo': value });
    const [answer] = await exchange([request('GET /1.0/config/user.foo')]);
    const bytes = Buffer.from(value);
    expect(answer?.subarray(-bytes.length)).toEqual(bytes);
    const { headers } = parseAnswer(answer?.toString('latin1') ?? '');
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-length')).toBe(String(bytes.length));
    await set('c1', { 'user.foo': 'bar' });
  });

  it('with cloud-init data are returned byte for byte, and are not found when they are not set', async () => {
    const value = '#cloud-config\n# why\npackages:   [ b, a ] # inner\n\n';
    const keys = ['cloud-init.user-data', 'cloud-init.vendor-data', 'user.user-data', 'user.vendor-data'];
    for (const key of keys) {
      expect([key, (await get(`/1.0/config/${key}`)).status]).toEqual([key, 404]);
      await set('c1', { [key]: value });
      expect([key, (await get(`/1.0/config/${key}`)).body]).toEqual([key, value]);
      await set('c1', { [key]: null });
    }
  });

  it('that are listed can all be read, with SSH keys and any cloud-init data', async () => {
    const texts = [
      null,
      '#cloud-config\nusers: [{name: root}]\n',
      '#cloud-config\npackages: [a]\n',
      'invalid',
    ];
    const sshKey = { 'cloud-init.ssh-keys.k': 'root:gh:u1' };
    for (const user of texts) {
      for (const vendor of texts) {
        await set('c1', { 'cloud-init.user-data': user, 'cloud-init.vendor-data': vendor, ...sshKey });
        const [list] = await exchange([request('GET /1.0/config')]);
        const listed = JSON.parse(parseAnswer(list?.toString() ?? '').body) as string[];
        const answers = await exchange(listed.map((path) => request(`GET ${path}`)));
        const statuses = answers.map((answer) => parseAnswer(answer.toString()).status);
        expect([user, vendor, listed, statuses]).toEqual([user, vendor, listed, listed.map(() => 200)]);
      }
    }
    await set('c1', {
      'cloud-init.user-data': null,
      'cloud-init.vendor-data': null,
      'cloud-init.ssh-keys.k': null,
    });
  });
});

function linesOf(child: ChildProcess): string[] {
  const lines: string[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => lines.push(line));
  return lines;
}

/** Ends the children of an nsenter process, which then ends too. */
function endEntered({ pid }: ChildProcess): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  for (const child of children.split(' ').filter(Boolean)) process.kill(Number(child), 'SIGKILL');
}

/** Runs a reader of the event stream until it has seen one event; returns its lines. */
async function readOneEvent(child: ChildProcess): Promise<string[]> {
  const lines = linesOf(child);
  const exited = once(child, 'exit');
  try {
    await until('the stream is open', () => lines.some((line) => line.startsWith('HTTP/1.1 200')));
    await set('c1', { 'user.seen': '1' });
    await until('an event', () => lines.some((line) => line.includes('user.seen')));
  } finally {
    endEntered(child);
    await exited;
    await set('c1', { 'user.seen': null });
  }
  return lines;
}

describe('events', () => {
  const EVENT =
    /^\{"type":"config","timestamp":"[^"]+","metadata":\{"key":"user.seen","old_value":"","value":"1"\}\}$/;
  const enter = () => ['-t', String(init), '-U', '-p', '-S', '0', '-G', '0', '--'];

  it.each<[string, () => ChildProcess]>([
    ["Node's HTTP client", () => tools.spawn(init, 'follow.mjs', daemon.guestSocket)],
    [
      'curl',
      () =>
        spawn('nsenter', [
          ...enter(),
          'curl',
          '-sN',
          '-D',
          '-',
          '--unix-socket',
          daemon.guestSocket,
          'lxd/1.0/events',
        ]),
    ],
    [
      'a reader of lines',
      () => {
        const child = spawn('nsenter', [...enter(), 'nc.openbsd', '-U', daemon.guestSocket]);
        child.stdin.write(request('GET /1.0/events'));
        return child;
      },
    ],
  ])('can be followed with %s', async (_reader, start) => {
    const lines = await readOneEvent(start());
    const body = lines.slice(lines.lastIndexOf('') + 1).filter((line) => !line.startsWith('HTTP/1.1'));
    expect(body).toEqual([expect.stringMatching(EVENT)]);
  });

  it('report a live change of a nic limit once, as `updated` with all options', async () => {
    const nic = { type: 'nic', nictype: 'p2p', name: 'eth9' };
    await operator.device('c1', 'eth9', nic);
    const socket = await tools.handedOver(init, daemon.guestSocket);
    const received = new Received(socket);
    socket.write(request('GET /1.0/events'));
    await until('the stream is open', () => received.bytes.includes('\r\n\r\n'));
    await operator.device('c1', 'eth9', { ...nic, 'limits.ingress': '10Mbit' });
    await set('c1', { 'user.seen': '1' });
    await until('the last event', () => received.bytes.includes('user.seen'));
    const events = received.bytes.split('\r\n\r\n')[1]?.trim().split('\n') ?? [];
    expect(events.map((line) => JSON.parse(line).metadata)).toEqual([
      { action: 'updated', config: { ...nic, 'limits.ingress': '10Mbit' }, name: 'eth9' },
      { key: 'user.seen', old_value: '', value: '1' },
    ]);
    socket.destroy();
    await operator.patch('c1', { devices: { eth9: null }, config: { 'user.seen': null } });
  });

  it('over an invalid websocket upgrade are refused with one line', async () => {
    const fields = [
      '',
      'Sec-WebSocket-Version: 13\r\n',
      'Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x\r\n',
    ];
    const upgrades = fields.map((more) =>
      request('GET /1.0/events', `Connection: Upgrade\r\nUpgrade: websocket\r\n${more}`),
    );
    for (const answer of await exchange(upgrades)) {
      const { status, headers, body } = parseAnswer(answer.toString());
      expect([status, headers.get('sec-websocket-version'), body]).toEqual([400, '13', 'Bad Request\n']);
    }
  });
});

describe('readiness', () => {
  it('is gone after a restart of the daemon, until the instance reports it again', async () => {
    const say = () => get('/1.0', '-X', 'PATCH', '-d', '{"state":"Ready"}');
    const state = async () => [
      (JSON.parse((await get('/1.0')).body) as { state: string }).state,
      (await operator.get('c1')).status,
    ];
    await say();
    expect(await state()).toEqual(['Ready', 'Ready']);
    await daemon.restart();
    expect(await state()).toEqual(['Started', 'Running']);
    await say();
    expect(await state()).toEqual(['Ready', 'Ready']);
  });
});

/** All texts that a refusal may have; a refusal must not contain anything else of the host. */
const REFUSALS = [
  /^400 Bad Request(: missing required Host header|: malformed Host header|: invalid header (name|value))?$/,
  /^(501 Not Implemented|Unsupported transfer encoding|431 Request Header Fields Too Large)$/,
  /^505 HTTP Version Not Supported: unsupported protocol version$/,
  /^Invalid request body: (EOF|unexpected EOF|invalid JSON|not a JSON object|state is not a string)\n$/,
  /^Invalid state "[^\n]*"\n$/,
  /^(Bad Request|Forbidden|Not Found|404 page not found|Not Implemented|Method "[A-Za-z]+" not found)\n$/,
  /^\{"type":"error","status":"","status_code":0,"operation":"","error_code":40[34],"error":"(Forbidden|Not Found)","metadata":null\}\n\n$/,
];

describe('refusals', () => {
  const pick = (...words: readonly string[]) => fc.constantFrom(...words);
  const segment = fc.oneof(
    pick('1.0', 'config', 'images', 'events', 'devices', 'meta-data', 'export', 'user.nope', 'user.foo', ''),
    pick(
      '..',
      '%00',
      '%zz',
      '%2F',
      '%ff',
      'user.%0a',
      'f'.repeat(64),
      '\xff',
      ' ',
      '*',
      'volatile.uuid',
      '\0',
    ),
    fc.string({ maxLength: 12 }),
  );
  const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`);
  const method = pick('GET', 'GET', 'GET', 'HEAD', 'PATCH', 'POST', 'DELETE', 'FOO', 'get', 'G T', '');
  const query = pick('', '', '?project=x', '?type=%zz', '?type=device', '?;=', '??');
  const version = pick('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', 'HTTP/1.1 x');
  const field = pick(
    ...[
      'Host: lxd',
      'Host: lxd',
      'Host: lxd',
      'Host: a b',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'A b: c',
    ],
    ...[
      'Content-Length: x',
      'Content-Length: 2',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: gzip',
      ': x',
    ],
    ...[
      'Expect: 100-continue',
      'Range: bytes=9-1',
      'Authorization: Bearer a.b.c',
      'X: \0',
      `X: ${'x'.repeat(70_000)}`,
    ],
  );
  const body = pick(
    '',
    '',
    '{}',
    '{"state":"Ready',
    '{"state":{}}',
    'null',
    '2\r\n{}\r\n0\r\n\r\n',
    '{"state":"\\u2028"}',
  );
  const fuzzed = fc
    .tuple(method, path, query, version, fc.array(field, { maxLength: 3 }), body)
    .map(([verb, target, more, http, fields, text]) => {
      const lines = [`${verb} ${target}${more} ${http}`, ...fields].join('\r\n');
      return Buffer.from(`${lines}\r\n\r\n${text}`, 'latin1');
    });

  it('have only texts of a fixed set, for any request', async () => {
    const known = ['/1.0', '/1.0/config/user.nope', '/1.0/config/x', `/1.0/images/${fingerprint}/export`];
    const sent = [
      ...known.map((each) => request(`POST ${each}`)),
      ...fc.sample(fuzzed, { numRuns: 400, seed: 7 }),
    ];
    const odd: { sent: string; answer: string }[] = [];
    const statuses = new Set<number>();
    (await exchange(sent)).forEach((bytes, index) => {
      const text = sent[index]?.toString('latin1') ?? '';
      for (const answer of answersIn(bytes)) {
        statuses.add(answer.status);
        if (!isExpected(answer, text))
          odd.push({ sent: text.slice(0, 300), answer: bytes.toString('latin1') });
      }
    });
    expect(odd).toEqual([]);
    expect([...statuses]).toEqual(expect.arrayContaining([200, 301, 400, 404, 501, 505]));
  });

  /** Splits the answers: bytes after a request on its connection count as another request. */
  function answersIn(bytes: Buffer): Answer[] {
    return bytes
      .toString('latin1')
      .split(/(?=HTTP\/1\.1 \d{3} )/)
      .map(parseAnswer);
  }

  function isExpected({ status, body: text }: Answer, sentText: string): boolean {
    if (status === 200 || status === 206 || status === 301) return true;
    // A request that ends too early has no answer.
    if (Number.isNaN(status)) return /Content-Length|chunked/.test(sentText);
    if (sentText.startsWith('HEAD ') && text === '') return true;
    return REFUSALS.some((pattern) => pattern.test(text));
  }
});
