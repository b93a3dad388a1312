import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, test as it, vi } from 'vitest';
import { hostError } from '../core/host-errors.ts';
import { EXEC_CONNECT_TIMEOUT_MS, EXEC_OUTPUT_BYTES_HIGH } from './host-limits.ts';
import type { NotedSession } from './testing/exec-notes.ts';
import { Harness, type Inbox } from './testing/harness.ts';

/** Chunks of 64 KiB: 8 MiB of input. Half of them is far more than what is taken before a program reads. */
const INPUT_CHUNKS = 128;

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
  harness.backend.add('c1', {}, true);
});
afterEach(() => harness.stop());

interface Exec {
  readonly session: NotedSession;
  readonly process: NotedSession['process'];
  readonly id: string;
  open(name: string): Promise<Inbox>;
}

async function exec(part: object = {}): Promise<Exec> {
  const body = { command: ['sh'], 'wait-for-websocket': true, ...part };
  const reply = await harness.send('POST', '/1.0/instances/c1/exec', body);
  expect(reply.status).toBe(202);
  const { id, metadata } = reply.json.metadata;
  const session = harness.backend.sessions.at(-1)!;
  const open = (name: string) =>
    harness.websocket(`/1.0/operations/${id}/websocket?secret=${metadata.fds[name]}`);
  return { session, process: session.process, id, open };
}

/** Connects all streams as LXD's client does. */
async function connectAll(run: Exec) {
  const control = await run.open('control');
  const stdin = await run.open('0');
  const stdout = await run.open('1');
  const stderr = await run.open('2');
  await run.process.until(() => run.session.starts === 1);
  return { control, stdin, stdout, stderr };
}

const mark = (inbox: Inbox) => inbox.socket.send('', { binary: false });

describe('a non-interactive exec', () => {
  it('carries input, output and both ends', async () => {
    const run = await exec();
    const { stdin, stdout, stderr } = await connectAll(run);
    stdin.socket.send(Buffer.from('in'));
    mark(stdin);
    await run.process.until(() => run.process.inputEnded);
    expect(run.process.text).toBe('in');
    run.process.say(1, 'out');
    run.process.say(2, 'err');
    run.process.exit(3);
    expect((await stdout.untilMark()).toString()).toBe('out');
    expect((await stderr.untilMark()).toString()).toBe('err');
    expect((await harness.get(`/1.0/operations/${run.id}`)).json.metadata).toMatchObject({
      status_code: 200,
      metadata: { return: 3 },
    });
  });

  it('starts when all streams are connected, and keeps input that came before', async () => {
    const run = await exec();
    await run.open('control');
    const stdin = await run.open('0');
    stdin.socket.send(Buffer.from('early'));
    mark(stdin);
    const stdout = await run.open('1');
    await harness.get('/1.0');
    expect(run.session.starts).toBe(0);
    await run.open('2');
    await run.process.until(() => run.process.inputEnded);
    expect(run.process.text).toBe('early');
    run.process.exit(0);
    await stdout.untilMark();
  });

  it('bounds the input that comes before the start', async () => {
    const run = await exec();
    const stdin = await run.open('0');
    const chunk = Buffer.alloc(65_536);
    for (let sent = 0; sent < INPUT_CHUNKS; sent++) stdin.socket.send(chunk);
    await run.open('control');
    await harness.get('/1.0');
    expect(stdin.socket.bufferedAmount).toBeGreaterThan((INPUT_CHUNKS / 2) * 65_536);
    await run.open('1');
    await run.open('2');
    mark(stdin);
    await run.process.until(() => run.process.inputEnded);
    expect(Buffer.concat(run.process.input)).toHaveLength(INPUT_CHUNKS * 65_536);
    run.process.exit(0);
  });

  it('puts fragmented messages together', async () => {
    const run = await exec();
    const { stdin } = await connectAll(run);
    const text = 'abcdefgh'.repeat(4096);
    for (let at = 0; at < text.length; at += 4096) {
      stdin.socket.send(Buffer.from(text.slice(at, at + 4096)), {
        fin: at + 4096 >= text.length,
        binary: true,
      });
    }
    mark(stdin);
    await run.process.until(() => run.process.inputEnded);
    expect(run.process.text).toBe(text);
    run.process.exit(0);
  });

  it('takes the loss of the input stream for its end', async () => {
    const run = await exec();
    const { stdin } = await connectAll(run);
    stdin.socket.terminate();
    await run.process.until(() => run.process.inputEnded);
    expect(run.process.signals).toEqual([]);
    run.process.exit(0);
  });

  it('stops reading input while the process takes none', async () => {
    const run = await exec();
    const { stdin } = await connectAll(run);
    run.process.hungry = false;
    const chunk = Buffer.alloc(65_536);
    for (let sent = 0; sent < INPUT_CHUNKS; sent++) stdin.socket.send(chunk);
    mark(stdin);
    await run.process.until(() => run.process.input.length > 0);
    // Each request gives the input time to go on, if it could.
    for (let round = 0; round < INPUT_CHUNKS; round++) await harness.get('/1.0');
    expect(run.process.input.length).toBeLessThan(INPUT_CHUNKS / 2);
    run.process.drain();
    await run.process.until(() => run.process.inputEnded);
    expect(Buffer.concat(run.process.input)).toHaveLength(INPUT_CHUNKS * 65_536);
    run.process.exit(0);
  });

  it('stops reading output while the client takes none, and loses nothing', async () => {
    const run = await exec();
    const { stdout } = await connectAll(run);
    stdout.socket.pause();
    let said = 0;
    while (!run.process.paused && said < EXEC_OUTPUT_BYTES_HIGH * 8) {
      run.process.say(1, Buffer.alloc(65_536));
      said += 65_536;
    }
    expect(run.process.paused).toBe(true);
    stdout.socket.resume();
    await run.process.until(() => !run.process.paused);
    run.process.exit(0);
    expect(await stdout.untilMark()).toHaveLength(said);
  });

  it('reads output again when the client that took none is gone', async () => {
    const run = await exec();
    const { stdout } = await connectAll(run);
    stdout.socket.pause();
    while (!run.process.paused) run.process.say(1, Buffer.alloc(65_536));
    stdout.socket.terminate();
    await run.process.until(() => !run.process.paused);
    run.process.say(1, 'into the void');
    run.process.exit(0);
  });

  it('passes on signals, and ignores nonsense and sizes', async () => {
    const run = await exec();
    const { control } = await connectAll(run);
    control.socket.send('nonsense');
    control.socket.send(JSON.stringify({ command: 'window-resize', args: { width: '80', height: '24' } }));
    control.socket.send(JSON.stringify({ command: 'signal', args: null, signal: 15 }));
    await run.process.until(() => run.process.signals.length > 0);
    expect(run.process.signals).toEqual([15]);
    expect(run.process.sizes).toEqual([]);
    run.process.exit(143);
    await control.closed;
  });

  it('is killed when its control stream is lost', async () => {
    const run = await exec();
    const { control } = await connectAll(run);
    control.socket.terminate();
    await run.process.until(() => run.process.signals.length > 0);
    expect(run.process.signals).toEqual([constants.signals.SIGKILL]);
    run.process.exit(137);
  });

  it('without a control stream is killed when its output is lost', async () => {
    const run = await exec();
    await run.open('0');
    const stdout = await run.open('1');
    await run.open('2');
    await run.process.until(() => run.session.starts === 1);
    stdout.socket.terminate();
    await run.process.until(() => run.process.signals.length > 0);
    expect(run.process.signals).toEqual([constants.signals.SIGKILL]);
    run.process.exit(137);
  });

  it('ends its streams also when the command cannot be run', async () => {
    const run = await exec();
    const { stdout, stderr } = await connectAll(run);
    run.process.failToRun(hostError('command-not-found'));
    expect((await stdout.untilMark()).length + (await stderr.untilMark()).length).toBe(0);
    expect((await harness.get(`/1.0/operations/${run.id}`)).json.metadata).toMatchObject({
      status_code: 400,
      err: 'Command not found',
      metadata: { return: 127 },
    });
  });

  it('leaves nothing open', async () => {
    const run = await exec();
    const { control, stdin, stdout, stderr } = await connectAll(run);
    run.process.exit(0);
    await Promise.all([control, stdin, stdout, stderr].map(({ closed }) => closed));
    await harness.server.stop(60_000);
  });
});

describe('an interactive exec', () => {
  it('has one stream for both directions, resizes and hangs up', async () => {
    const run = await exec({ interactive: true, width: 80, height: 24 });
    expect(Object.keys(run.session.secrets).sort()).toEqual(['0', 'control']);
    const control = await run.open('control');
    const pty = await run.open('0');
    control.socket.send('{"command":"window-resize","args":{"height":"40","width":"132"},"signal":0}');
    pty.socket.send(Buffer.from('ls\r'));
    await run.process.until(() => run.process.sizes.length > 0 && run.process.input.length > 0);
    expect(run.process.sizes).toEqual(['132x40']);
    run.process.say(1, 'file');
    mark(pty);
    await run.process.until(() => run.process.inputEnded);
    run.process.exit(0);
    expect((await pty.untilMark()).toString()).toBe('file');
  });
});

describe('the secrets of an exec', () => {
  it('are refused when wrong, absent or used', async () => {
    const run = await exec();
    const path = `/1.0/operations/${run.id}/websocket`;
    await expect(harness.websocket(`${path}?secret=${'0'.repeat(64)}`)).rejects.toThrow('refused with 403');
    await expect(harness.websocket(path)).rejects.toThrow('refused with 403');
    await run.open('0');
    await expect(run.open('0')).rejects.toThrow('refused with 403');
    await expect(harness.websocket('/1.0/operations/none/websocket?secret=x')).rejects.toThrow(
      'refused with 404',
    );
    const task = harness.backend.operations.begin({ description: 'x' });
    await expect(harness.websocket(`/1.0/operations/${task.id}/websocket?secret=x`)).rejects.toThrow(
      'refused with 400',
    );
    expect((await harness.get(path)).status).toBe(400);
  });

  it('expire when the streams are not connected in time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const run = await exec();
      const stdin = await run.open('0');
      vi.advanceTimersByTime(EXEC_CONNECT_TIMEOUT_MS);
      await stdin.closed;
      expect(harness.backend.operations.get(run.id)).toMatchObject({
        status: 'Failure',
        err: 'Timed out waiting for websockets to connect',
      });
      await expect(run.open('1')).rejects.toThrow('refused with 403');
      expect(run.session.starts).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('an exec without websockets', () => {
  it('runs with its output dropped and its input empty', async () => {
    await harness.send('POST', '/1.0/instances/c1/exec', { command: ['true'] });
    const session = harness.backend.sessions[0]!;
    await session.process.until(() => session.process.inputEnded);
    session.process.say(1, 'nobody listens');
    session.process.exit(4);
    const { id } = session.operation;
    expect((await harness.get(`/1.0/operations/${id}/wait`)).json.metadata).toMatchObject({
      class: 'task',
      metadata: { return: 4 },
    });
  });

  it('does not record output', async () => {
    const body = { command: ['true'], 'record-output': true };
    expect((await harness.send('POST', '/1.0/instances/c1/exec', body)).json.error).toMatch(/record-output/);
    expect(harness.backend.sessions).toEqual([]);
  });

  it('needs a running instance', async () => {
    harness.backend.add('c2');
    const ask = (name: string) => harness.send('POST', `/1.0/instances/${name}/exec`, { command: ['true'] });
    expect((await ask('c2')).json.error).toBe('Instance is not running');
    expect((await ask('c3')).json.error).toBe('Instance not found');
  });
});
