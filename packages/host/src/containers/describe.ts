import { messageOf } from '../base/coded-error.ts';
import { hostError } from '../core/host-errors.ts';
import { readSpec } from './bundle.ts';
import type { Described, OciState } from './described.ts';
import type { Subject } from './hook-request.ts';
import { describeLxc } from './records/lxc.ts';

/** Describes a container from the records of its runtime. @throws bad-request */
export async function describeContainer(subject: Subject): Promise<Described> {
  try {
    return await (subject.of === 'lxc' ? describeLxc(subject) : describeOci(subject));
  } catch (error) {
    throw hostError('bad-request', `the records of the container cannot be read: ${messageOf(error)}`);
  }
}

async function describeOci(state: OciState): Promise<Described> {
  const spec = await readSpec(state.bundle);
  const { id, bundle } = state;
  const words = Object.entries({ ...spec.annotations, ...state.annotations }).flatMap(([key, value]) =>
    key.startsWith('dev.porthole.') ? [[key.slice('dev.porthole.'.length), value]] : [],
  );
  const container = { id, name: id, image: '', digest: '', labels: {}, record: bundle };
  return { container: { runtime: 'oci', ...container }, words: Object.fromEntries(words) };
}
