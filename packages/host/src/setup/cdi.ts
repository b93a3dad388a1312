import { HOOKS, hookOf, mountOf, type Place } from './edits.ts';
import { removeFile, writeText } from './files.ts';
import type { Setup } from './setup.ts';

/** The oldest version of CDI that has all that is used here: older managers refuse a newer one. */
const CDI_VERSION = '0.5.0';
const KIND = 'porthole.dev/instance';
const DEVICE = 'default';

/** A device of the Container Device Interface, for Podman, Docker 25 and later, containerd and CRI-O. */
export const cdi: Setup = {
  name: 'cdi',
  title: 'CDI',
  canRequire: true,
  about:
    `Describes a device ${KIND}=${DEVICE} in the Container Device Interface, which Podman, containerd, CRI-O and ` +
    'Docker 25 or later read. A container that asks for the device has the guest API and becomes an instance.',
  file: '/etc/cdi/porthole.json',
  example: `podman run --device ${KIND}=${DEVICE} ...`,
  async apply(place, file) {
    const text = `${JSON.stringify(specOf(place), null, 2)}\n`;
    const next = `podman run --device ${KIND}=${DEVICE} --name web IMAGE`;
    return { changes: [await writeText(file, text)], next };
  },
  async remove(_place, file) {
    return { changes: [await removeFile(file)], next: '' };
  },
};

function specOf(place: Place) {
  const { source, destination, options } = mountOf(place);
  const containerEdits = {
    mounts: [{ hostPath: source, containerPath: destination, options }],
    hooks: HOOKS.map((hookName) => ({ hookName, ...hookOf(place, hookName) })),
  };
  return { cdiVersion: CDI_VERSION, kind: KIND, devices: [{ name: DEVICE, containerEdits }] };
}
