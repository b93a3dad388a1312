import { until } from '../api.ts';
import { Docker } from '../docker.ts';
import { Podman } from '../podman.ts';
import { outputOf, type PrivateHost } from '../private-host.ts';
import { FIRST, type Told, type Way } from './way.ts';

const IMAGE = 'bb:1';

/** Containers of Docker, by the runtime of `porthole setup docker`. */
export async function dockerWay({ stateDir, porthole }: Told): Promise<Way> {
  const docker = await Docker.start();
  await docker.image(IMAGE);
  await must(
    docker.host,
    porthole,
    '--state-dir',
    stateDir,
    'setup',
    'docker',
    '--config',
    docker.settings,
    '--reload',
  );
  const runtimes = () => docker.must('info', '--format={{json .Runtimes}}');
  await until('Docker knows the runtime', async () => (await runtimes()).includes('"porthole"'));
  return {
    runtime: 'docker',
    async start(name, value, script = FIRST) {
      const label = `dev.porthole.config.user.x=${value}`;
      const options = ['--runtime', 'porthole', '--name', name, '--label', label];
      await docker.start(...options, IMAGE, 'sh', '-c', script);
    },
    exec: (name, ...words) => docker.run('exec', name, ...words),
    spawn: (name, ...words) => docker.spawn('exec', name, ...words),
    restart: async (name) => void (await docker.must('restart', '--time', '0', name)),
    stop: async (name) => void (await docker.must('stop', '--time', '0', name)),
    remove: async (name) => void (await docker.must('rm', name)),
    [Symbol.asyncDispose]: () => docker[Symbol.asyncDispose](),
  };
}

/** Containers of Podman, by the device of `porthole setup cdi`. */
export async function podmanWay({ stateDir, porthole }: Told): Promise<Way> {
  const podman = await Podman.make();
  await podman.image(IMAGE);
  // One of the folders where Podman looks for devices; here it is this Podman's own.
  await must(
    podman.host,
    porthole,
    '--state-dir',
    stateDir,
    'setup',
    'cdi',
    '--config',
    '/run/cdi/porthole.json',
  );
  return {
    runtime: 'podman',
    async start(name, value, script = FIRST) {
      const annotation = `dev.porthole.config.user.x=${value}`;
      const options = [
        '--device',
        'porthole.dev/instance=default',
        '--name',
        name,
        '--annotation',
        annotation,
      ];
      await podman.start(...options, IMAGE, 'sh', '-c', script);
    },
    exec: (name, ...words) => podman.run('exec', name, ...words),
    spawn: (name, ...words) => podman.spawn('exec', name, ...words),
    restart: async (name) => void (await podman.must('restart', '--time', '0', name)),
    stop: async (name) => void (await podman.must('stop', '--time', '0', name)),
    remove: async (name) => void (await podman.must('rm', name)),
    [Symbol.asyncDispose]: () => podman[Symbol.asyncDispose](),
  };
}

async function must(host: PrivateHost, ...words: string[]): Promise<void> {
  outputOf(words.join(' '), await host.run(words));
}
