import { messageOf } from '../../base/coded-error.ts';
import { hostError } from '../../core/host-errors.ts';
import { readSpec } from '../bundle.ts';
import type { Describe, Described, OciState } from '../described.ts';
import type { Subject } from '../hook-request.ts';
import { describeDocker } from './docker.ts';
import { describeLxc } from './lxc.ts';
import { describeNspawn } from './nspawn.ts';
import { describeOci } from './oci.ts';
import { describePodman } from './podman.ts';

/** The first one that knows a container describes it. The last one knows every container. */
const OCI: readonly Describe[] = [describeDocker, describePodman, describeOci];

/** Describes a container from the records of its runtime. @throws bad-request */
export async function describeContainer(subject: Subject): Promise<Described> {
  try {
    if (subject.of === 'lxc') return await describeLxc(subject);
    return await (subject.of === 'nspawn' ? describeNspawn(subject) : describeBundle(subject));
  } catch (error) {
    throw hostError('bad-request', `the records of the container cannot be read: ${messageOf(error)}`);
  }
}

async function describeBundle(state: OciState): Promise<Described> {
  const spec = await readSpec(state.bundle);
  for (const describe of OCI) {
    const found = await describe(state, spec);
    if (found !== null) return found;
  }
  throw new Error('no runtime knows it');
}
