import { join } from 'node:path';
import type { Place } from './edits.ts';
import { removeFile, writeText } from './files.ts';
import { madeBy, refuseOverwrite, refuseRemoval } from './own-files.ts';
import { quoted, RUNTIME, runtimeCommand } from './runtime-words.ts';
import type { Setup } from './setup.ts';

const MADE = madeBy('podman');

/** A runtime of Podman. Podman's configuration has no arguments for programs, so it names a script that has them. */
export const podman: Setup = {
  name: 'podman',
  title: 'Podman',
  canRequire: true,
  about:
    `Adds the runtime "${RUNTIME}" to Podman's configuration. A container of root with this runtime has the guest ` +
    'API and becomes an instance. After --remove, containers that were made with this runtime do not start.',
  file: '/etc/containers/containers.conf.d/porthole.conf',
  example: `podman run --runtime ${RUNTIME} ...`,
  async apply(place, file) {
    for (const each of [file, scriptOf(place)]) await refuseOverwrite('podman', each);
    const command = runtimeCommand(place).map(quoted).join(' ');
    const script = await writeText(scriptOf(place), `#!/bin/sh\n${MADE}\nexec ${command} "$@"\n`, 0o755);
    // A string of JSON is also valid in TOML.
    const setting = `${RUNTIME} = [${JSON.stringify(scriptOf(place))}]`;
    const config = await writeText(file, `${MADE}\n[engine.runtimes]\n${setting}\n`);
    return { changes: [script, config], next: `podman run --runtime ${RUNTIME} --name web IMAGE` };
  },
  async remove(place, file) {
    for (const each of [file, scriptOf(place)]) await refuseRemoval('podman', each);
    return { changes: [await removeFile(file), await removeFile(scriptOf(place))], next: '' };
  },
};

function scriptOf({ stateDir }: Place): string {
  return join(stateDir, 'porthole-runtime');
}
