import { spawn } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Bundles } from '../bundles.ts';
import { FIRST, type Told, type Way } from './way.ts';

/** Bundles of plain runc, with the mount and the hooks in their `config.json`. */
export async function runcWay(told: Told): Promise<Way> {
  const bundles = await Bundles.make(told);
  const stop = (name: string) => bundles.delete(name, '--force');
  return {
    runtime: 'oci',
    async start(name, value, script = FIRST) {
      const root = join(bundles.folder(name), 'rootfs');
      cpSync(bundles.root, root, { recursive: true, verbatimSymlinks: true });
      bundles.write(name, { root, readOnly: false, script, value });
      await bundles.start(name);
    },
    exec: (name, ...words) => bundles.runc('exec', name, ...words),
    spawn: (name, ...words) => spawn('runc', ['exec', name, ...words], { stdio: ['ignore', 'pipe', 'pipe'] }),
    async restart(name) {
      await stop(name);
      await bundles.start(name);
    },
    stop,
    // runc knows nothing of a container that has ended.
    remove: async (name) => rmSync(bundles.folder(name), { recursive: true }),
    [Symbol.asyncDispose]: () => bundles[Symbol.asyncDispose](),
  };
}
