import { once } from 'node:events';
import { spawn as spawnPty } from '@lydell/node-pty';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { until } from '../harness/api.ts';
import { LxcClient, outputOf } from '../harness/lxc.ts';
import { Terminal } from '../harness/terminal.ts';

let lxc: LxcClient;

beforeAll(async () => {
  lxc = await LxcClient.start();
  await lxc.must('launch', 'busybox', 'c1', '-c', 'environment.OWN=instance');
});

afterAll(() => lxc?.destroy());

const sh = (script: string, ...options: string[]) =>
  lxc.run('exec', 'c1', ...options, '--', 'sh', '-c', script);

/** How many processes inside have this text on their command line. */
const running = async (text: string) => {
  const { stdout } = await sh('cat /proc/[0-9]*/cmdline | tr "\\0" " "');
  return stdout.split(text).length - 1;
};

describe('without a terminal', () => {
  it('keeps output and errors separate, and returns the exit code', async () => {
    expect(await sh('echo out; echo err >&2; exit 7')).toMatchObject({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it.each([
    ['a missing command', ['nosuch'], 127, 'Error: Command not found\n'],
    ['a command that is a folder', ['/etc'], 126, 'Error: Command not executable\n'],
    ['a death by signal', ['sh', '-c', 'kill -9 $$'], 137, ''],
    ['a command that ends with 127 itself', ['sh', '-c', 'exit 127'], 127, ''],
  ])('reports %s', async (_what, command, code, stderr) => {
    expect(await lxc.run('exec', 'c1', '--', ...command)).toMatchObject({ code, stderr });
  });

  it('passes on any input, and its end', async () => {
    const input = 'x'.repeat(3_000_000);
    const { stdout } = await lxc.feed(input, 'exec', 'c1', '--', 'md5sum');
    const { stdout: counted } = await lxc.feed(input, 'exec', 'c1', '--', 'wc', '-c');
    expect([stdout.length > 30, counted.trim()]).toEqual([true, '3000000']);
    expect((await lxc.feed('ignored', 'exec', 'c1', '-n', '--', 'cat')).stdout).toBe('');
  });

  it('sets environment, folder and ids', async () => {
    const shown = await sh('echo $OWN $MORE $HOME; pwd; id -u; id -g', '--env', 'MORE=more');
    expect(shown.stdout).toBe('instance more /root\n/root\n0\n0\n');
    const options = ['--user', '1000', '--group', '1001', '--cwd', '/tmp', '--env', 'OWN=asked'];
    expect((await sh('echo $OWN; pwd; id -u; id -g', ...options)).stdout).toBe('asked\n/tmp\n1000\n1001\n');
    expect((await sh('pwd', '--cwd', '/not/there')).stdout).toBe('/\n');
  });

  it('runs a command to its end that asks for a terminal, but not for websockets', async () => {
    const body = { Command: ['sh', '-c', 'cat; tty >/root/alone; exit 5'], interactive: true };
    const path = '/1.0/instances/c1/exec';
    const operation = await lxc.must('query', '--wait', '-X', 'POST', '-d', JSON.stringify(body), path);
    expect(JSON.parse(operation)).toMatchObject({ metadata: { return: 5 } });
    expect((await sh('cat /root/alone')).stdout).toBe('not a tty\n');
  });

  it('prints output at once, and passes signals on', async () => {
    const script = "trap 'echo got; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    const child = lxc.spawn('exec', 'c1', '--', 'sh', '-c', script);
    const output = outputOf(child);
    await until('it is ready', () => output.text === 'ready\n');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect({ code, text: output.text }).toEqual({ code: 3, text: 'ready\ngot\n' });
  });

  it('ends the process when the client is killed', async () => {
    const child = lxc.spawn('exec', 'c1', '--', 'sleep', '98765');
    await until('it runs', async () => (await running('98765')) === 1);
    child.kill('SIGKILL');
    await until('it is gone', async () => (await running('98765')) === 0);
  });

  it('ends with the instance', async () => {
    await lxc.must('launch', 'busybox', 'c2');
    const child = lxc.spawn('exec', 'c2', '--', 'sh', '-c', 'echo ready; sleep 1000');
    const output = outputOf(child);
    await until('it runs', () => output.text === 'ready\n');
    const exit = once(child, 'exit');
    await lxc.must('stop', '--force', 'c2');
    expect((await exit)[0]).toBe(137);
    await lxc.must('delete', 'c2');
  });
});

describe('with a terminal', () => {
  function terminal(...command: string[]) {
    const pty = spawnPty('lxc', ['exec', 'c1', '--', ...command], {
      env: lxc.env,
      cwd: lxc.folder,
      cols: 90,
      rows: 30,
    });
    const output = { text: '' };
    pty.onData((data) => {
      output.text += data;
    });
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    return { pty, output, ended };
  }

  it('gives the command a terminal of the same size, also when the size changes', async () => {
    const { pty, output, ended } = terminal('sh');
    await until('it prompts', () => output.text.includes('# '));
    pty.write('tty; stty size\r');
    await until('its size is told', () => /\/dev\/pts\/\d+\r\n30 90\r\n/.test(output.text));
    pty.resize(120, 40);
    await until('its new size is told', () => {
      pty.write('stty size\r');
      return output.text.includes('40 120');
    });
    pty.write('exit 5\r');
    expect(await ended).toBe(5);
  });

  it('lets Ctrl-C interrupt the command', async () => {
    const { pty, output, ended } = terminal('sh', '-c', 'echo ready; sleep 1000');
    await until('it runs', () => output.text.includes('ready'));
    pty.write('\x03');
    expect(await ended).toBe(130);
  });

  it('gives a terminal unless -T refuses it', async () => {
    const { ended } = terminal('tty');
    expect(await ended).toBe(0);
    expect((await lxc.run('exec', 'c1', '-T', '--', 'tty')).stdout).toBe('not a tty\n');
  });

  it('attaches to the console, one client at a time, until the client ends', async () => {
    const attach = () => new Terminal('lxc', ['console', 'c1'], lxc.env);
    const first = attach();
    await first.sees('To detach');
    first.type('\r');
    await first.sees('/ # ');
    first.type('echo console=$((40 + 2))\r');
    await first.sees('console=42');
    const second = attach();
    await second.sees('This console is already connected');
    expect(await second.ended).toBe(1);
    first.close();
    await until('the console is free', async () => {
      const next = attach();
      next.type('echo again=$((40 + 3))\r');
      const seen = await Promise.race([next.sees('again=43').then(() => true), next.ended.then(() => false)]);
      next.close();
      return seen;
    });
    const log = await lxc.must('console', 'c1', '--show-log');
    expect([log.includes('console=42'), log.includes('again=43')]).toEqual([true, true]);
  });
});
