import { messageOf } from '../../base/coded-error.ts';
import { hostError } from '../../core/host-errors.ts';
import { readSpec, specOf } from '../bundle.ts';
import type { Describe, Described, OciState } from '../described.ts';
import type { Subject } from '../hook-request.ts';
import type { Look } from '../looks/looks.ts';
import { describeDocker } from './docker.ts';
import { describeLxc } from './lxc.ts';
import { describeNspawn } from './nspawn.ts';
import { describeOci, ociPaths } from './oci.ts';
import { describePodman, podmanPaths } from './podman.ts';

/** The first one that knows a container describes it. The last one knows every container. */
const OCI: readonly Describe[] = [describeDocker, describePodman, describeOci];

/** Describes a container from the records of its runtime. @throws bad-request */
export async function describeContainer(subject: Subject, look: Look): Promise<Described> {
  try {
    if (subject.of === 'lxc') return await describeLxc(subject, look);
    return await (subject.of === 'nspawn' ? describeNspawn(subject) : describeBundle(subject, look));
  } catch (error) {
    throw hostError('bad-request', `the records of the container cannot be read: ${messageOf(error)}`);
  }
}

/** Looks at all paths that it knows before it reads the bundle together, because each look takes some milliseconds. */
async function describeBundle(state: OciState, look: Look): Promise<Described> {
  const [podman, oci] = [podmanPaths(state), ociPaths(state)];
  const first = await look({
    files: [...new Set([specOf(state.bundle), ...podman.files])],
    folders: [...podman.folders, ...oci.folders],
  });
  const records = { spec: readSpec(state.bundle, first), first, look };
  for (const describe of OCI) {
    const found = await describe(state, records);
    if (found !== null) return found;
  }
  throw new Error('no runtime knows it');
}
