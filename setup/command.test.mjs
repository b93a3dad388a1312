import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { handOver, quietly, tailOf } from './command.mjs';

const options = { cwd: '/', env: process.env };

describe('commands', () => {
  it('give their output when they fail', async () => {
    expect(await quietly('sh', ['-c', 'echo one; echo two >&2; exit 3'])).toEqual({
      ok: false,
      output: 'one\ntwo\n',
    });
  });

  it('that do not exist fail with the reason', async () => {
    const { ok, output } = await quietly('/no-such-command', []);
    expect(ok).toBe(false);
    expect(output).toContain('ENOENT');
  });

  it('are quoted by their last lines that are not empty', () => {
    expect(tailOf('1\n2\n\n3\n4\n5\n6\n\n')).toBe('2; 3; 4; 5; 6');
  });

  it('that take over the terminal give their exit code, or 128 and the signal', async () => {
    expect(await handOver('sh', ['-c', 'exit 7'], options)).toBe(7);
    expect(await handOver('sh', ['-c', 'kill -TERM $$'], options)).toBe(143);
  });

  it('can end cleanly when the setup gets a signal', async () => {
    const inner = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    const outer = `import { handOver } from ${JSON.stringify(new URL('./command.mjs', import.meta.url).href)};
      process.exitCode = await handOver('sh', ['-c', ${JSON.stringify(inner)}], { cwd: '/', env: process.env });`;
    const setup = spawn(process.execPath, ['--input-type=module', '-e', outer], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(setup.stdout, 'data');
    setup.kill('SIGTERM');
    expect(await once(setup, 'exit')).toEqual([5, null]);
  });
});
