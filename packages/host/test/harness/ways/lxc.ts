import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { type Finished, run } from '../../../src/process/run.ts';
import { outputOf } from '../private-host.ts';
import { FIRST, type Told, type Way } from './way.ts';

/** The host ids of root inside: of the range that LXC's own tools use. */
const ROOT_ID = 1_000_000;
const IDS = 65_536;

/** Unprivileged containers of plain LXC, which include the file of `porthole setup lxc`. */
export async function lxcWay({ stateDir, porthole }: Told): Promise<Way> {
  const folder = mkdtempSync('/var/tmp/porthole-test-plain-lxc-');
  chmodSync(folder, 0o755);
  const include = join(folder, 'porthole.conf');
  const setup = await run(porthole, ['--state-dir', stateDir, 'setup', 'lxc', '--config', include]);
  outputOf('setup lxc', setup);
  const tool = (command: string, name: string, ...words: string[]): Promise<Finished> =>
    run(command, ['-P', folder, '-n', name, ...words]);
  const must = async (command: string, name: string, ...words: string[]) =>
    void outputOf(command, await tool(command, name, ...words));
  return {
    runtime: 'lxc',
    async start(name, value, script = FIRST) {
      const root = join(folder, name, 'rootfs');
      mkdirSync(join(folder, name));
      execFileSync('tar', ['-xzf', inject('busybox'), '-C', join(folder, name), 'rootfs']);
      writeFileSync(join(root, 'first'), script);
      execFileSync('chown', ['-R', `${ROOT_ID}:${ROOT_ID}`, root]);
      writeFileSync(join(folder, name, 'config'), configOf(name, root, value, include));
      await must('lxc-start', name);
    },
    exec: (name, ...words) => tool('lxc-attach', name, '--clear-env', '--', ...words),
    spawn: (name, ...words) =>
      spawn('lxc-attach', ['-P', folder, '-n', name, '--clear-env', '--', ...words], {
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    async restart(name) {
      await must('lxc-stop', name, '--kill');
      await must('lxc-start', name);
    },
    stop: (name) => must('lxc-stop', name, '--kill'),
    remove: async (name) => rmSync(join(folder, name), { recursive: true }),
    async [Symbol.asyncDispose]() {
      for (const name of readdirSync(folder)) {
        if (existsSync(join(folder, name, 'config'))) await tool('lxc-stop', name, '--kill');
      }
      rmSync(folder, { recursive: true });
    },
  };
}

function configOf(name: string, root: string, value: string, include: string): string {
  return [
    `lxc.uts.name = ${name}`,
    `lxc.rootfs.path = dir:${root}`,
    'lxc.init.cmd = /bin/sh /first',
    `lxc.idmap = u 0 ${ROOT_ID} ${IDS}`,
    `lxc.idmap = g 0 ${ROOT_ID} ${IDS}`,
    'lxc.net.0.type = empty',
    'lxc.mount.auto = proc:mixed sys:mixed',
    'lxc.autodev = 1',
    'lxc.apparmor.profile = unconfined',
    `lxc.environment = PATH=/usr/bin:/bin`,
    `lxc.environment = PORTHOLE_CONFIG_user.x=${value}`,
    `lxc.include = ${include}`,
    '',
  ].join('\n');
}
