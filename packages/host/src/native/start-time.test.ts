import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { isRunning, startTimeOf } from './start-time.ts';

describe('startTimeOf', () => {
  it('is not misled by a program name that looks like the rest of the line', async () => {
    const program =
      'process.title = ") S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 7"; console.log("up"); setInterval(() => {}, 1e6)';
    const plain = startTimeOf(process.pid);
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    expect(Number(startTimeOf(child.pid as number))).toBeGreaterThan(Number(plain));
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('is the same after the end of a process whose parent has not asked for it, but the process does not run', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep inf'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(line);
    const startTime = startTimeOf(pid) ?? '';
    await vi.waitFor(() => expect(isRunning(pid, startTime)).toBe(false), { interval: 5 });
    expect(startTimeOf(pid)).toBe(startTime);
    expect(isRunning(parent.pid as number, startTimeOf(parent.pid as number) ?? '')).toBe(true);
    expect(isRunning(parent.pid as number, '1')).toBe(false);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it('returns null for a process that does not exist', () => {
    expect(startTimeOf(2 ** 22 + 1)).toBeNull();
  });
});
