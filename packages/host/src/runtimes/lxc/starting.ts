import { rm } from 'node:fs/promises';
import { messageOf } from '../../base/coded-error.ts';
import { rootSizeOf } from '../../core/root-size.ts';
import type { Looks } from '../../process/look.ts';
import type { RunSpec } from '../contract/runtime.ts';
import { configFile } from './config-file.ts';
import { type PreparedDevices, prepareDevices } from './devices.ts';
import { releaseMounts } from './host-mounts.ts';
import { writeHostname } from './hostname.ts';
import type { IdRanges } from './ids.ts';
import { writeInPlace } from './in-place.ts';
import type { MountEntry } from './mount-lines.ts';
import type { LxcOptions } from './options.ts';
import type { InstancePaths } from './paths.ts';
import { limitLines } from './resource-limits.ts';
import { mountRoot, releaseRoot, settleRoot, shiftRoot, tightenRoot } from './root-place.ts';
import { startContainer } from './tools.ts';

/** Owner of the files of a privileged instance. */
const ROOT = { uid: 0, gid: 0 };

interface StartInput {
  readonly paths: InstancePaths;
  readonly ids: IdRanges | null;
  readonly looks: Looks;
  readonly options: LxcOptions;
}

/** The devices of a container that LXC has started. */
interface Started extends PreparedDevices {
  /** Settles when nothing is mounted on the host for the start any more. */
  readonly released: Promise<void>;
}

/**
 * Makes an instance's files and devices ready, and has LXC start it.
 * @throws CodedError runtime-failed, device-start-failed, root-too-small, root-failed
 */
export async function startPrepared(spec: RunSpec, input: StartInput): Promise<Started> {
  const { paths, ids, looks, options } = input;
  const owner = ids ?? ROOT;
  await release(paths);
  const size = rootSizeOf(spec.devices);
  await settleRoot(paths, size, { id: spec.id, log: options.log });
  await shiftRoot(paths, owner);
  // Of the last run: its log, its ending, its processes, its weight, and the files of commands that a killed daemon
  // has left.
  const { log, console, ending, run, lowered, execs } = paths;
  for (const path of [log, ...console, ending, run, lowered, execs])
    await rm(path, { recursive: true, force: true });
  try {
    await mountRoot(paths);
    if (spec.namesHost) await nameHost(spec, input);
    const prepared = await prepareDevices(spec.devices, paths, { owner, looks });
    await writeInPlace(paths.config, await configText(spec, input, prepared));
    await startContainer(options.instances, spec.id, paths.config, paths.log);
    return { ...prepared, released: release(paths).then(() => tightenRoot(paths, size)) };
  } catch (error) {
    await release(paths);
    throw error;
  }
}

/** Takes away what is mounted on the host only for the time of a start. */
async function release(paths: InstancePaths): Promise<void> {
  await releaseMounts(paths.mounts);
  await releaseRoot(paths);
}

/** A disk that is full, or what an instance has made of the file, does not keep the instance from starting. */
async function nameHost(spec: RunSpec, { paths, ids, options }: StartInput): Promise<void> {
  await writeHostname(spec, paths, ids).catch((error) => {
    const fields = { instanceId: spec.id, reason: messageOf(error) };
    options.log.warn(fields, 'could not write the name of an instance into its /etc/hostname');
  });
}

async function configText(
  spec: RunSpec,
  { paths, ids, options }: StartInput,
  { mounts, numbers, devices }: PreparedDevices,
): Promise<string> {
  const { devlxd, stopHook, openFiles, cpuWeight } = options;
  const guestApi: MountEntry = {
    ...{ source: devlxd, target: '/dev/lxd' },
    ...{ readonly: true, recursive: false, isFolder: true },
  };
  return configFile({
    spec: { ...spec, devices },
    paths,
    ids,
    mounts: [...(spec.devlxd ? [guestApi] : []), ...mounts],
    lxcfs: await lxcfsLines(spec, options),
    limits: await limitLines(spec),
    ...{ openFiles, cpuWeight },
    deviceNumbers: ids ? [] : numbers,
    stopHook,
  });
}

async function lxcfsLines({ id }: RunSpec, { lxcfs, log }: LxcOptions): Promise<readonly string[]> {
  const { state, lines } = await lxcfs.mountLines();
  if (state === 'failed')
    log.warn({ instanceId: id }, "lxcfs does not answer: an instance starts with the host's figures");
  return lines;
}
