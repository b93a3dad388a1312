import { join } from 'node:path';
import type { ConsoleFiles } from '../contract/console.ts';

/** Where one instance's files are; named by id, so that a rename moves nothing. */
export interface InstancePaths {
  readonly folder: string;
  /** The folder's name while it is removed. LXC may still end a failed run, and writes only into `folder`. */
  readonly removed: string;
  readonly config: string;
  readonly log: string;
  /** What it has printed on its console since its start. */
  readonly console: ConsoleFiles;
  /** Upper and work folder of its root filesystem. If there is an image, it is mounted over this. */
  readonly overlay: string;
  /** The folder that replaces `overlay` when all files are copied. */
  readonly newOverlay: string;
  readonly upper: string;
  /** The image for what it writes, if its root has a limit and no quota. */
  readonly image: string;
  /** An image that is not complete yet. */
  readonly newImage: string;
  /** Device nodes that are shown inside. */
  readonly devices: string;
  /** LXC's config and log for each command that runs in it. */
  readonly execs: string;
  /** Where host folders are bound while it starts. */
  readonly mounts: string;
  /** Written by the stop hook: how the last run ended. */
  readonly ending: string;
  /** Which processes the latest run depends on. */
  readonly run: string;
  /** The weight that it has after a fork storm; exists while its weight is lowered. */
  readonly lowered: string;
  /** The name that was last written into its /etc/hostname. */
  readonly hostname: string;
  /** Exists while LXC is starting it. */
  readonly starting: string;
}

/** The paths of an instance below the folder of all instances. */
export function instancePaths(instances: string, id: number): InstancePaths {
  const folder = join(instances, String(id));
  const overlay = join(folder, 'overlay');
  return {
    folder,
    removed: `${folder}.removed`,
    config: join(folder, 'config'),
    log: join(folder, 'lxc.log'),
    // LXC chooses the name of the older one.
    console: [join(folder, 'console.log.1'), join(folder, 'console.log')],
    overlay,
    upper: join(overlay, 'upper'),
    newOverlay: join(folder, 'overlay.new'),
    image: join(folder, 'root.img'),
    newImage: join(folder, 'root.img.new'),
    devices: join(folder, 'devices'),
    execs: join(folder, 'execs'),
    mounts: join(folder, 'mounts'),
    ending: join(folder, 'ending'),
    run: join(folder, 'run'),
    lowered: join(folder, 'lowered'),
    hostname: join(folder, 'hostname'),
    starting: join(folder, 'starting'),
  };
}
