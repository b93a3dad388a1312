import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/process/run.ts';
import { ask, until } from './harness/api.ts';
import { Crowd } from './harness/crowd.ts';
import { TestDaemon } from './harness/daemon.ts';
import { Operator } from './harness/operator.ts';

const ATTACKER = '200 attacker';
const NOBODY = '500 Process ID not found in container';
const NOT_ROOT = '401 Access denied for non-root user';

/** How often the test frees a namespace number, and how many namespaces it then makes to get it again. */
const ROUNDS_MAX = 20;
const UNKNOWN_CALLERS = 30;

let folder: string;
let daemon: TestDaemon;
let operator: Operator;
let attacker: number;
let victim: number;

beforeAll(() => {
  // The users of instances must be able to read the programs.
  folder = mkdtempSync('/var/tmp/porthole-attacks-');
  chmodSync(folder, 0o755);
  cpSync(new URL('programs/attacks/', import.meta.url), folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const enter = (init: number) => ['-t', String(init), '-U', '-p', '-S', '0', '-G', '0', '--'];
const python = (program: string, args: readonly string[]) => [
  '/usr/bin/python3',
  '-B',
  `${folder}/${program}`,
  ...args,
];

/** Runs an attack as root of an instance, in its user and PID namespaces. @returns its output */
async function attack(init: number, program: string, ...args: string[]): Promise<string> {
  const command = [...enter(init), ...python(program, [daemon.guestSocket, ...args])];
  const { ok, failure, stdout } = await run('nsenter', command, { timeoutMs: 20_000 });
  if (!ok) throw new Error(failure);
  return stdout.trim();
}

/** A program that the test talks with line by line. */
class Talk {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.lines.push(line));
  }

  async line(number: number): Promise<string> {
    await until(`line ${number}`, () => this.lines.length > number);
    return this.lines[number] ?? '';
  }

  /** Writes a word to its standard input, and waits until it ends. */
  async finish(word = ''): Promise<void> {
    this.#child.stdin?.end(word);
    await this.#ended;
  }
}

/** Runs an attack on the host, with a given uid. */
async function fromHost(uid: number, program: string, ...args: string[]): Promise<string> {
  const ids = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  const { ok, failure, stdout } = await run('setpriv', [
    ...ids,
    ...python(program, [daemon.guestSocket, ...args]),
  ]);
  if (!ok) throw new Error(failure);
  return stdout.trim();
}

/**
 * Stops the daemon, lets a process of an instance connect and end, gives its pid to another process, and only
 * then lets the daemon accept the connection.
 * @param heir the init of the PID namespace of the other process; null for a process of the host
 * @returns whether the pid was reused all the time, and the answer over the connection
 */
async function afterReuse(init: number, heir: number | null): Promise<{ reused: boolean; answer: string }> {
  process.kill(daemon.pid, 'SIGSTOP');
  const args = [...enter(init), ...python('leave.py', [daemon.guestSocket])];
  const holder = new Talk('nsenter', args);
  try {
    const pid = Number(await holder.line(0));
    await holder.line(1);
    const within = heir === null ? [] : [String(heir)];
    const taker = new Talk('/usr/bin/python3', ['-B', `${folder}/take-pid.py`, String(pid), ...within]);
    const reused = (await taker.line(0)) === 'True';
    const namespace = (of: number) => statSync(`/proc/${of}/ns/pid`).ino;
    const inHeir = namespace(pid) === namespace(heir ?? process.pid);
    process.kill(daemon.pid, 'SIGCONT');
    await holder.finish('\n');
    const still = namespace(pid) === namespace(heir ?? process.pid);
    await taker.finish();
    return { reused: reused && inHeir && still, answer: holder.lines[2] ?? '' };
  } finally {
    process.kill(daemon.pid, 'SIGCONT');
  }
}

describe.each([
  { path: 'pidfd', flags: [] },
  { path: 'pidfd', flags: ['--fast-lane', 'off'] },
  { path: 'pidfd-proc', flags: ['--identification', 'pidfd-proc'] },
  { path: 'proc', flags: ['--identification', 'proc'] },
])('callers identified by $path $flags', ({ path, flags }) => {
  beforeAll(async () => {
    daemon = await TestDaemon.start(flags);
    operator = new Operator(daemon);
    await daemon.must('image', 'build', 'busybox');
    for (const name of ['attacker', 'victim']) await operator.launch(name, { config: { 'user.id': name } });
    [attacker, victim] = [await operator.pid('attacker'), await operator.pid('victim')];
  });
  afterAll(() => daemon?.destroy());

  it('says so in its log and in `porthole info`', async () => {
    expect(daemon.log.find(({ msg }) => msg === 'daemon started')).toMatchObject({ identification: path });
    expect(await daemon.must('info')).toMatch(new RegExp(`^Callers identified by: ${path} `, 'm'));
  });

  it('ignores the titles of the caller and of its parent, in argv and in comm', async () => {
    const title = `[lxc monitor] ${daemon.stateDir}/instances victim`;
    expect(await attack(attacker, 'title.py', title)).toBe(ATTACKER);
    const root = statSync(`/proc/${victim}`).uid;
    for (const uid of [0, 65_534, root])
      expect([uid, await fromHost(uid, 'title.py', title)]).toEqual([uid, NOBODY]);
  });

  it('recognises no instance in a process of the host, root or not', async () => {
    for (const uid of [0, 1000, 65_534]) {
      expect([uid, await fromHost(uid, 'orphan.py')]).toEqual([uid, NOBODY]);
    }
  });

  it('answers a child over the connection of its parent that has ended', async () => {
    expect(await attack(attacker, 'orphan.py')).toBe(ATTACKER);
  });

  it('recognises the instance in namespaces that it has made, and distinguishes its root from theirs', async () => {
    expect(await attack(attacker, 'nested.py', '0')).toBe(ATTACKER);
    expect(await attack(attacker, 'nested.py', '1000')).toBe(NOT_ROOT);
  });

  it('uses the effective uid at connect(), also if the process changes it later', async () => {
    expect((await attack(attacker, 'setuid.py')).split('\n')).toEqual([
      `user, then root: ${NOT_ROOT}`,
      `root, with a user as the real one: ${ATTACKER}`,
      `user, with root as the real one: ${NOT_ROOT}`,
      `root, then user: ${ATTACKER}`,
    ]);
  });

  it.each([
    { from: 'attacker', to: 'victim' },
    { from: 'victim', to: 'attacker' },
  ])('answers a connection that $from has passed to $to as that of $from', async ({ from, to }) => {
    const pids: Record<string, number> = { attacker, victim };
    const name = `porthole-attack-${process.pid}-${from}-${path}-${flags.length}`;
    const pass = (of: string, what: string) =>
      new Talk('nsenter', [
        ...enter(pids[of] as number),
        ...python('pass.py', [what, daemon.guestSocket, name]),
      ]);
    const taker = pass(to, 'take');
    await taker.line(0);
    await pass(from, 'give').finish();
    await taker.finish();
    expect(taker.lines[1]).toBe(`200 ${from}`);
  });

  it('does not take a caller for the process of the host that has its pid now', async () => {
    expect(await afterReuse(attacker, null)).toEqual({ reused: true, answer: NOBODY });
  });

  it('does not take a caller for a process of another instance that has its pid now, except with proc', async () => {
    // The weakness of the fallback (docs/security.md): instances with the same ids cannot be told apart.
    const answer = path === 'proc' ? '200 victim' : NOBODY;
    expect(await afterReuse(attacker, victim)).toEqual({ reused: true, answer });
  });

  it('does not take a caller for a process of an instance with other ids that has its pid now', async () => {
    await using crowd = await Crowd.make(1);
    await daemon.must('adopt', 'other', '--pid', String(crowd.pid()), '-c', 'user.id=other');
    const answer = path === 'proc' ? NOT_ROOT : NOBODY;
    expect(await afterReuse(attacker, crowd.pid())).toEqual({ reused: true, answer });
    await daemon.must('delete', '-f', 'other');
  });

  it('does not recognise an ended instance in a new PID namespace with the same number', async () => {
    const numberOf = (crowd: Crowd) => statSync(`/proc/${crowd.pid()}/ns/pid`).ino;
    const value = async (init: number) => {
      const { status, body } = await ask(daemon, { init }, '/1.0/config/user.id');
      return `${status} ${body.trim()}`;
    };
    // The kernel gives the lowest free number; a container that another program starts may get it first.
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const name = `gone${round}`;
      const first = await Crowd.make(1);
      const number = numberOf(first);
      const config = ['-c', `user.id=${name}`];
      await daemon.must('adopt', name, '--ephemeral', '--pid', String(first.pid()), ...config);
      expect(await value(first.pid())).toBe(`200 ${name}`);
      await first[Symbol.asyncDispose]();
      await until('it is gone', async () => !(name in (await operator.statuses())));
      await using strangers = await Crowd.make(UNKNOWN_CALLERS);
      const heir = strangers.members.find(({ pid }) => statSync(`/proc/${pid}/ns/pid`).ino === number);
      if (!heir) continue;
      expect(await value(heir.pid)).toBe(NOBODY);
      return;
    }
    throw new Error('the kernel has used no number again');
  });
});
