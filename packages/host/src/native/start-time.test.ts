import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startTimeOf } from './start-time.ts';

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

  it('returns null for a process that does not exist', () => {
    expect(startTimeOf(2 ** 22 + 1)).toBeNull();
  });
});
