import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../../../src/process/run.ts';
import { withEdits } from '../../../src/setup/edits.ts';
import { outputOf, PrivateHost } from '../private-host.ts';
import { FIRST, type Told, type Way } from './way.ts';

/** Bundles of plain runc, with the mount and the hooks in their `config.json`. */
export async function runcWay({ stateDir, porthole }: Told): Promise<Way> {
  const host = await PrivateHost.make('runc');
  host.rootArchive();
  const place = { stateDir, bin: dirname(porthole), required: false };
  const started: string[] = [];
  const bundleOf = (name: string) => join(host.folder, name);
  // With runc's own folder of states on this host: the daemon sees there when a container is removed.
  const runc = (...words: string[]) => run('runc', words);
  const must = async (...words: string[]) => void outputOf(words.join(' '), await runc(...words));
  // Its standard output must not be a pipe of the test: the container keeps it.
  const start = async (name: string) => {
    const script = 'exec runc run --detach --bundle "$1" "$2" > "$1/log" 2>&1 < /dev/null';
    const { ok, failure } = await run('sh', ['-c', script, 'sh', bundleOf(name), name]);
    if (!ok) throw new Error(`${failure} ${readFileSync(join(bundleOf(name), 'log'), 'utf8')}`);
  };
  const stop = async (name: string) => must('delete', '--force', name);
  return {
    runtime: 'oci',
    async start(name, value) {
      started.push(name);
      const bundle = bundleOf(name);
      mkdirSync(bundle);
      cpSync(join(host.folder, 'unpacked/rootfs'), join(bundle, 'rootfs'), {
        recursive: true,
        verbatimSymlinks: true,
      });
      await must('spec', '--bundle', bundle);
      const path = join(bundle, 'config.json');
      const spec = JSON.parse(readFileSync(path, 'utf8'));
      Object.assign(spec.process, { terminal: false, args: ['sh', '-c', FIRST] });
      Object.assign(spec.root, { readonly: false });
      Object.assign(spec.linux, { cgroupsPath: `/${host.cgroup}/${name}` });
      spec.annotations = { 'dev.porthole.config.user.x': value };
      writeFileSync(path, JSON.stringify(withEdits(spec, place)));
      await start(name);
    },
    exec: (name, ...words) => runc('exec', name, ...words),
    spawn: (name, ...words) => spawn('runc', ['exec', name, ...words], { stdio: ['ignore', 'pipe', 'pipe'] }),
    async restart(name) {
      await stop(name);
      await start(name);
    },
    stop,
    // runc knows nothing of a container that has ended.
    remove: async (name) => rmSync(bundleOf(name), { recursive: true }),
    async [Symbol.asyncDispose]() {
      for (const name of started) await runc('delete', '--force', name);
      await host[Symbol.asyncDispose]();
    },
  };
}
