import { basename, dirname, join } from 'node:path';
import { parsedJson } from '../../base/parsed-json.ts';
import type { Container } from '../../core/container.ts';
import { recordOf } from '../../core/records.ts';
import { specOf } from '../bundle.ts';
import type { Describe, OciSpec, OciState } from '../described.ts';
import { ImageSays } from '../image-says.ts';
import type { Looked } from '../looks/looked.ts';
import type { Look } from '../looks/looks.ts';
import { wordsOf } from '../words.ts';
import { podmanImage } from './podman-image.ts';
import { linesOf, textOf } from './texts.ts';

/** A list describes all containers: 4 MiB hold some thousands. */
const LIST_MAX_BYTES = 4 * 1024 * 1024;

/** The second list has the containers that do not outlive a reboot, such as those of `podman run --rm`. */
const LISTS = ['containers.json', 'volatile-containers.json'];

const NOTHING = { annotations: {}, env: [] };

const MANAGER = 'io.container.manager';

/** Annotations that Podman itself adds. */
const ADDED = /^io\.(podman|container|kubernetes\.cri-o)\.|^org\.opencontainers\.image\.stopSignal$/;

/** The folder of a container, and the folder of all containers; null if Podman does not run it. */
function placeOf({ bundle, id }: OciState): { folder: string; place: string } | null {
  const folder = dirname(bundle);
  const place = dirname(folder);
  const isPlace = /^[a-z0-9]+-containers$/.test(basename(place)) && basename(folder) === id;
  return isPlace ? { folder, place } : null;
}

/** Whether Podman runs the container, by the annotations that the hook was told. */
export function isOfPodman({ annotations }: OciState): boolean {
  return annotations[MANAGER] === 'libpod';
}

/** The paths that describe a container of Podman. */
export function podmanPaths(state: OciState): { files: string[]; folders: string[] } {
  const at = placeOf(state);
  if (at === null) return { files: [], folders: [] };
  const lists = LISTS.map((name) => join(at.place, name));
  return { files: [specOf(state.bundle), ...lists], folders: [at.folder, at.place] };
}

/**
 * Describes a container of Podman, from the lists in `DRIVER-containers` of Podman's storage. Labels are only in
 * Podman's database, which Porthole does not read. So the annotations are shown as labels.
 */
export const describePodman: Describe = async (state, { spec, first, look }) => {
  if (spec.annotations[MANAGER] !== 'libpod') return null;
  const at = placeOf(state);
  const isOwn = at !== null && first.isOwnFolder(at.folder) && first.isOwnFolder(at.place);
  const record: unknown = isOwn ? listed(at.place, state.id, first) : null;
  const container = containerOf(state, spec, record, isOwn ? at.folder : '');
  const image = isOwn && record !== null ? await imageOf(at.place, textOf(record, 'image'), look) : null;
  if (!image) return { container, words: {} };
  // With a user namespace the bundle's folder does not belong to root, and its owner could put another file there.
  const { annotations, env } = first.isOwnFile(specOf(state.bundle)) ? spec : NOTHING;
  return { container, words: wordsOf({ annotations, labels: {}, env }, image) };
};

/** The record of a container in the lists; null if it is in none of them. */
function listed(place: string, id: string, first: Looked): unknown {
  for (const name of LISTS) {
    const list = parsedJson(first.ownText(join(place, name), LIST_MAX_BYTES));
    const record = Array.isArray(list) ? list.find((each) => textOf(each, 'id') === id) : undefined;
    if (record !== undefined) return record;
  }
  return null;
}

/** @param id empty for a container of a folder (`--rootfs`) */
async function imageOf(place: string, id: string, look: Look): Promise<ImageSays | null> {
  if (id === '') return ImageSays.nothing;
  const texts = await podmanImage(place.replace(/-containers$/, '-images'), id, look);
  return texts && ImageSays.from(texts);
}

function containerOf({ id }: OciState, spec: OciSpec, found: unknown, record: string): Container {
  const metadata = parsedJson(textOf(found, 'metadata') || null);
  const digest = textOf(found, 'image');
  return {
    runtime: 'podman',
    id,
    name: textOf(metadata, 'name') || (linesOf((found as { names?: unknown } | null)?.names)[0] ?? ''),
    image: textOf(metadata, 'image-name'),
    digest: digest === '' ? '' : `sha256:${digest}`,
    labels: recordOf(Object.entries(spec.annotations).filter(([key]) => !ADDED.test(key))),
    owner: '',
    record,
  };
}
