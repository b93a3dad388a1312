import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { rootUidOf, rootUidOfMap, startTimeOf } from './proc.ts';

describe('rootUidOfMap', () => {
  it('finds the host uid of uid 0', () => {
    expect(rootUidOfMap('         0    1000000      65536\n')).toBe(1_000_000);
    expect(rootUidOfMap('  1 5 1\n  0  100000  10\n')).toBe(100_000);
  });

  it('finds none where uid 0 is not mapped', () => {
    expect(rootUidOfMap('  1000  100000  65536\n')).toBeNull();
    expect(rootUidOfMap('')).toBeNull();
    expect(rootUidOfMap('  0 5 0\n')).toBeNull();
  });
});

describe('startTimeOf', () => {
  it('is not fooled by a program name that looks like the rest of the line', async () => {
    const program =
      'process.title = ") S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 7"; console.log("up"); setInterval(() => {}, 1e6)';
    const plain = startTimeOf(process.pid);
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    expect(Number(startTimeOf(child.pid as number))).toBeGreaterThan(Number(plain));
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('says null of a process that is not there', () => {
    expect(startTimeOf(2 ** 22 + 1)).toBeNull();
    expect(rootUidOf(2 ** 22 + 1)).toBeNull();
  });
});
