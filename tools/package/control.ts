/** What `dpkg -s` shows. */
export interface ControlFacts {
  readonly version: string;
  /** As Debian calls it. */
  readonly architecture: string;
  readonly depends: string;
  readonly bytes: number;
}

/** The maintainer that the package names. */
export const MAINTAINER = 'The maintainers of Porthole <porthole@example.org>';

const KIBIBYTE = 1024;

/** The text of the file `control`; see deb-control(5). */
export function controlText({ version, architecture, depends, bytes }: ControlFacts): string {
  return `${[
    'Package: porthole',
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${Math.ceil(bytes / KIBIBYTE)}`,
    `Depends: ${depends}`,
    'Recommends: lxcfs',
    'Suggests: lxd-client',
    'Section: admin',
    'Priority: optional',
    "Description: LXD's guest API for containers on this host",
    " Porthole runs system containers and gives each of them LXD's guest API: one",
    ' Unix socket, seen inside as /dev/lxd/sock. Through it an instance reads its own',
    ' configuration, devices and meta-data, reports that it is ready, follows changes',
    ' as they happen and fetches images. It can never see another instance: the',
    ' kernel says who is asking.',
    ' .',
    " Operators use the command porthole, or LXD's own client lxc. The package brings",
    ' its own Node.',
  ].join('\n')}\n`;
}
