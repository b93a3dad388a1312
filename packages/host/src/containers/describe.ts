import { messageOf } from '../base/coded-error.ts';
import type { Container } from '../core/container.ts';
import { hostError } from '../core/host-errors.ts';
import { readSpec } from './bundle.ts';
import type { Described, OciState } from './described.ts';

/** Describes a container from its bundle and the records of the runtime above it. @throws bad-request */
export async function describeContainer(state: OciState): Promise<Described> {
  try {
    const spec = await readSpec(state.bundle);
    const { id, bundle } = state;
    const container: Container = {
      ...{ runtime: 'oci', id, name: id, image: '', digest: '', labels: {}, record: bundle },
    };
    const words = Object.entries({ ...spec.annotations, ...state.annotations }).flatMap(([key, value]) =>
      key.startsWith('dev.porthole.') ? [[key.slice('dev.porthole.'.length), value]] : [],
    );
    return { container, words: Object.fromEntries(words) };
  } catch (error) {
    throw hostError('bad-request', `the container's bundle cannot be read: ${messageOf(error)}`);
  }
}
