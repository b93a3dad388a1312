import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { cgroupPath } from './cgroup-path.ts';
import { close } from './libc.ts';
import { cgroupIdOf, openPidfd } from './pidfd.ts';

const ROOT = existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified';
const FOLDER = `${ROOT}/porthole-test-${process.pid}`;

/** The id of a cgroup is the number of its inode. */
const idOf = (folder: string) => statSync(folder, { bigint: true }).ino;

// Only root may make a cgroup, and open one by its id.
it.runIf(process.getuid?.() === 0)(
  'a process has the id of its cgroup, from which its folder is found',
  async () => {
    mkdirSync(FOLDER);
    const child = spawn('sleep', ['1000']);
    await once(child, 'spawn');
    const pidfd = openPidfd(child.pid as number);
    try {
      writeFileSync(`${FOLDER}/cgroup.procs`, String(child.pid));
      const id = cgroupIdOf(pidfd);
      expect(id).toBe(idOf(FOLDER));
      expect(cgroupPath(ROOT, id as bigint)).toBe(FOLDER);
    } finally {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      close(pidfd);
      rmdirSync(FOLDER);
    }
  },
);

it('there is no folder for an id that no cgroup has, nor where no cgroups are mounted', () => {
  expect(cgroupPath(ROOT, 0xffff_ffff_ffffn)).toBeNull();
  expect(cgroupPath('/var', 1n)).toBeNull();
  expect(cgroupPath('/does/not/exist', 1n)).toBeNull();
});

it('a descriptor that is no pidfd has no cgroup', () => {
  expect(cgroupIdOf(-1)).toBeNull();
});
