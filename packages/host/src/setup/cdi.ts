import { extname } from 'node:path';
import { parseExactly } from '../base/exact-json.ts';
import { isYamlMap } from '../base/yaml-map.ts';
import { HOOKS, hookOf, mountOf, type Place } from './edits.ts';
import { removeFile, writeText } from './files.ts';
import { refuseOverwrite, refuseRemoval } from './own-files.ts';
import type { Setup } from './setup.ts';

/** The oldest version of CDI that has everything used here. Older managers refuse newer versions. */
const CDI_VERSION = '0.5.0';
const KIND = 'porthole.dev/instance';
const DEVICE = 'default';
/** The library of CDI reads no other files. */
const ENDINGS = ['.json', '.yaml'];

/** A device of the Container Device Interface, for Podman, Docker 25 and later, containerd and CRI-O. */
export const cdi: Setup = {
  name: 'cdi',
  title: 'Podman, and Docker 25 or later (CDI)',
  canRequire: true,
  about:
    `Describes a device ${KIND}=${DEVICE} in the Container Device Interface, which Podman, containerd, CRI-O and ` +
    'Docker 25 or later read. A container with this device has the guest API and becomes an instance.',
  file: '/etc/cdi/porthole.json',
  example: `podman run --device ${KIND}=${DEVICE} ...`,
  async apply(place, file) {
    if (!ENDINGS.includes(extname(file)))
      throw new Error(
        `${file} would be ignored: the name of a file for CDI ends with ${ENDINGS.join(' or ')}`,
      );
    await refuseOverwrite('cdi', file, isOwn);
    const text = `${JSON.stringify(specOf(place), null, 2)}\n`;
    const next = `podman run --device ${KIND}=${DEVICE} --name web IMAGE`;
    return { changes: [await writeText(file, text)], next };
  },
  async remove(_place, file) {
    await refuseRemoval('cdi', file, isOwn);
    return { changes: [await removeFile(file)], next: '' };
  },
};

/** Whether the setup has written a text. JSON has no comments, so the kind of the device tells. */
function isOwn(_setup: string, text: string): boolean {
  try {
    const spec = parseExactly(text);
    return isYamlMap(spec) && spec['kind'] === KIND;
  } catch {
    return false;
  }
}

function specOf(place: Place) {
  const { source, destination, options } = mountOf(place);
  const containerEdits = {
    mounts: [{ hostPath: source, containerPath: destination, options }],
    hooks: HOOKS.map((hookName) => ({ hookName, ...hookOf(place, hookName) })),
  };
  return { cdiVersion: CDI_VERSION, kind: KIND, devices: [{ name: DEVICE, containerEdits }] };
}
