import { guestApiBinds, nspawnSettings, nspawnWords } from '../../base/nspawn-file.ts';
import type { Described } from '../described.ts';
import type { Subject } from '../hook-request.ts';
import { ImageSays } from '../image-says.ts';
import { wordsOf } from '../words.ts';
import { readRootFile } from './root-file.ts';

/**
 * Describes a machine of systemd-nspawn, from its settings: the lines `Environment=PORTHOLE_...=value` are the
 * operator's words. `machinectl remove` removes the settings together with the machine.
 */
export async function describeNspawn(subject: Extract<Subject, { of: 'nspawn' }>): Promise<Described> {
  const { id, settings } = subject;
  const text = await readRootFile(settings);
  const env = environmentIn(text ?? '');
  return {
    container: {
      ...{ runtime: 'nspawn', id, name: id, image: '', digest: '', labels: {}, owner: '' },
      // A machine that a profile asks for may have no settings. Then nothing shows that it was removed.
      record: text === null ? '' : settings,
    },
    words: wordsOf({ annotations: {}, labels: {}, env }, ImageSays.nothing),
  };
}

/** The variables in settings. A line without a value removes those of earlier lines. */
function environmentIn(text: string): string[] {
  const lines = nspawnSettings(text).filter(
    ({ section, key }) => section === 'Exec' && key === 'Environment',
  );
  const last = lines.findLastIndex(({ value }) => value === '');
  return lines.slice(last + 1).flatMap(({ value }) => nspawnWords(value));
}

/** Whether settings of a machine mount a folder that has one of these paths, and nothing else, at `/dev/lxd`. */
export function mountsAtGuestApi(text: string, paths: readonly string[]): boolean {
  const binds = guestApiBinds(text);
  return binds.length > 0 && binds.every(({ source }) => paths.includes(source));
}
