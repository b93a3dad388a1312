import { join } from 'node:path';
import type { Describe, Described, OciSpec, OciState } from '../described.ts';
import { ImageSays } from '../image-says.ts';
import { ownRecordOfTexts } from '../json.ts';
import { wordsOf } from '../words.ts';
import { isRootFile, isRootFolder } from './root-file.ts';

/** Bundles that a program makes from images that are not known here: containerd, CRI-O and others of their kind. */
const MADE = /\/io\.containerd\.[^/]*\/|\/[a-z0-9]+-containers\/[^/]+\/userdata\/?$/;
const MANAGER = 'io.container.manager';

/** Where the plain runtimes keep the state of a container until its removal. */
const STATES = ['/run/runc', '/run/crun'];

/** Describes a container that somebody has started with runc or crun: annotations and environment are their words. */
export const describeOci: Describe = async (state, spec) => ({
  container: {
    runtime: 'oci',
    id: state.id,
    name: state.id,
    image: '',
    digest: '',
    labels: ownRecordOfTexts(spec.annotations),
    owner: '',
    record: await recordOf(state, spec),
  },
  words: await words(state, spec),
});

async function words(state: OciState, spec: OciSpec): Promise<Described['words']> {
  const { annotations, env } = spec;
  const isOwn = !isMade(state, spec) && (await isRoots(state));
  return wordsOf(
    isOwn ? { annotations, labels: {}, env } : { annotations: {}, labels: {}, env: [] },
    ImageSays.nothing,
  );
}

function isMade({ bundle }: OciState, { annotations }: OciSpec): boolean {
  return MADE.test(bundle) || annotations[MANAGER] !== undefined;
}

async function isRoots({ bundle }: OciState): Promise<boolean> {
  return (await isRootFolder(bundle)) && (await isRootFile(join(bundle, 'config.json')));
}

/** A bundle stays when its container is removed, unless a program has made it. */
async function recordOf(state: OciState, spec: OciSpec): Promise<string> {
  if (isMade(state, spec)) return state.bundle;
  if (/^\.*$|\//.test(state.id)) return '';
  for (const folder of STATES) {
    const record = join(folder, state.id);
    if (await isRootFolder(record)) return record;
  }
  return '';
}
