import { dirname, join } from 'node:path';
import type { Container } from '../../core/container.ts';
import type { Describe, Described, OciSpec, OciState, Records } from '../described.ts';
import { ImageSays } from '../image-says.ts';
import { ownRecordOfTexts } from '../json.ts';
import type { Looked } from '../looks/looked.ts';
import { wordsOf } from '../words.ts';
import { dockerImage } from './docker-image.ts';
import { linesOf, objectOf, textOf } from './texts.ts';

/** Files that Docker mounts into each container. With `--network container:` they belong to the other container. */
const OWN_FILES = /^(\/.+\/containers)\/[0-9a-f]{64}\/(?:hostname|hosts|resolv\.conf)$/;

/** Where Docker's containerd has the bundle of a container. */
const BUNDLE = /\/moby\/[0-9a-f]{64}\/?$/;

/** Describes a container of Docker, from `containers/ID/config.v2.json` in Docker's folder. */
export const describeDocker: Describe = async (state, records) => {
  const folders = foldersOf(records.spec);
  if (folders.length === 0 && !BUNDLE.test(state.bundle)) return null;
  const own = /^[0-9a-f]{64}$/.test(state.id) ? folders.map((each) => join(each, state.id)) : [];
  const looked = await records.look({ folders: own, files: own.map(recordIn) });
  for (const folder of own) {
    const found = recordOf(folder, state, looked);
    if (found) return described(state, records, folder, found);
  }
  // A container of Docker without a record: its image is unknown, so no word is certain to be the operator's.
  return { container: containerOf(state, {}, ''), words: {} };
};

function foldersOf(spec: OciSpec): string[] {
  return [...new Set(spec.mounts.flatMap(({ source }) => OWN_FILES.exec(source)?.[1] ?? []))];
}

type DockerRecord = Readonly<Record<string, unknown>>;

const recordIn = (folder: string) => join(folder, 'config.v2.json');

function recordOf(folder: string, { id }: OciState, looked: Looked): DockerRecord | null {
  if (!looked.isOwnFolder(folder)) return null;
  const found = looked.ownObject(recordIn(folder));
  return textOf(found, 'ID') === id ? found : null;
}

/** @param folder of the container */
async function described(
  state: OciState,
  { spec, look }: Records,
  folder: string,
  record: DockerRecord,
): Promise<Described> {
  const config = objectOf(record, 'Config');
  const texts = await dockerImage(dirname(dirname(folder)), record, look);
  const image = texts && ImageSays.from(texts);
  const [labels, env] = image ? [ownRecordOfTexts(config['Labels']), linesOf(config['Env'])] : [{}, []];
  // Docker takes no annotations from images.
  const words = wordsOf({ annotations: spec.annotations, labels, env }, image ?? ImageSays.nothing);
  return { container: containerOf(state, record, folder), words };
}

function containerOf({ id }: OciState, found: DockerRecord, record: string): Container {
  const config = objectOf(found, 'Config');
  return {
    runtime: 'docker',
    id,
    name: textOf(found, 'Name').replace(/^\//, ''),
    image: textOf(config, 'Image'),
    digest: textOf(found, 'Image'),
    labels: ownRecordOfTexts(config['Labels']),
    owner: '',
    record,
  };
}
