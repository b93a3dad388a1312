import type { Described } from '../described.ts';
import type { Subject } from '../hook-request.ts';
import { ImageSays } from '../image-says.ts';
import type { Look } from '../looks/looks.ts';
import { wordsOf } from '../words.ts';

const ENVIRONMENT = /^\s*lxc\.environment\s*=\s*(.*?)\s*$/;

/**
 * Describes a container of plain LXC, from its configuration: the lines `lxc.environment = PORTHOLE_...=value` are the
 * operator's words. LXC has no record of the image.
 */
export async function describeLxc(
  { id, name }: Extract<Subject, { of: 'lxc' }>,
  look: Look,
): Promise<Described> {
  const text = (await look({ files: [id] })).ownText(id) ?? '';
  const env = text.split('\n').flatMap((line) => ENVIRONMENT.exec(line)?.[1] ?? []);
  return {
    container: { runtime: 'lxc', id, name, image: '', digest: '', labels: {}, owner: '', record: id },
    words: wordsOf({ annotations: {}, labels: {}, env }, ImageSays.nothing),
  };
}
