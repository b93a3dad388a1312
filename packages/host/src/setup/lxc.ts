import { mountOf, type Place } from './edits.ts';
import { removeFile, writeText } from './files.ts';
import { madeBy, refuseOverwrite, refuseRemoval } from './own-files.ts';
import { quoted } from './runtime-words.ts';
import type { Setup } from './setup.ts';

/** Plain LXC, as on Proxmox: containers that root starts with `lxc-start`. */
export const lxc: Setup = {
  name: 'lxc',
  title: 'LXC',
  canRequire: true,
  about:
    'Writes a file with the guest API mount and the hooks. Include it in the configuration of containers of plain ' +
    'LXC. Such a container becomes an instance when root starts it with `lxc-start` the next time. Before you remove ' +
    'the file, remove the line `lxc.include` from these containers.',
  file: '/etc/lxc/porthole.conf',
  example: 'lxc-start -n web',
  async apply(place, file) {
    await refuseOverwrite('lxc', file);
    const next = `put the line "lxc.include = ${file}" into the configuration of a container, and start it`;
    return { changes: [await writeText(file, textOf(place))], next };
  },
  async remove(_place, file) {
    await refuseRemoval('lxc', file);
    return { changes: [await removeFile(file)], next: '' };
  },
};

/** The mount and the hooks as lines of LXC. The target of a mount is relative to the root filesystem. */
function textOf(place: Place): string {
  const { source, destination, options } = mountOf(place);
  const flags = options.filter((each) => each !== 'rprivate').join(',');
  const { bin, stateDir, required } = place;
  const command = [
    `${bin}/porthole`,
    'lxc-hook',
    '--state-dir',
    stateDir,
    ...(required ? ['--required'] : []),
  ];
  const hook = command.map(quoted).join(' ');
  return [
    madeBy('lxc'),
    `lxc.mount.entry = ${source} ${destination.slice(1)} none ${flags},create=dir 0 0`,
    `lxc.hook.start-host = ${hook}`,
    `lxc.hook.post-stop = ${hook}`,
    '',
  ].join('\n');
}
