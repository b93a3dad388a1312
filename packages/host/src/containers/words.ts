import { hostError } from '../core/host-errors.ts';
import { type OwnRecord, own, recordOf } from '../core/records.ts';
import type { ImageSays } from './image-says.ts';

/** Everything that the image and the operator say about a container. */
export interface Said {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Lines `NAME=value`. */
  readonly env: readonly string[];
}

/** Words beyond this number are ignored. Almost every word is a config key, and instances have a few. */
export const WORDS_MAX = 256;
/** Bytes of all words together, names and values. */
const WORDS_MAX_BYTES = 64 * 1024;

const LABEL = 'dev.porthole.';
const PLAIN = ['name', 'profiles', 'ephemeral'];
const CONFIG = 'config.';
const ENV: Readonly<Record<string, string>> = {
  PORTHOLE_NAME: 'name',
  PORTHOLE_PROFILES: 'profiles',
};
const ENV_CONFIG = 'PORTHOLE_CONFIG_';

/** The form of a config key in a word; the other checks of config keys come later. */
const KEY = /^[^\s\x00-\x1f\x7f\ufffd]{1,255}$/;

type Pair = readonly [string, string];

/**
 * The operator's words: `name`, `profiles`, `ephemeral` and `config.KEY`. An annotation has priority over a label,
 * and a label over the environment.
 * @param image what the image says; this is left out
 * @throws bad-request for a label or annotation `dev.porthole.` that does not exist
 */
export function wordsOf(said: Said, image: ImageSays): OwnRecord<string> {
  const fromEnv = said.env.flatMap((line) => envWord(line, image));
  const fromLabels = labelWords(said.labels, image);
  const fromAnnotations = labelWords(said.annotations, image);
  return bounded(recordOf([...fromEnv, ...fromLabels, ...fromAnnotations]));
}

function labelWords(labels: Readonly<Record<string, string>>, image: ImageSays): Pair[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!key.startsWith(LABEL) || image.has(key, value)) return [];
    const word = key.slice(LABEL.length);
    if (!isWord(word))
      throw hostError(
        'bad-request',
        `"${key}" does not exist: use ${LABEL}name, profiles, ephemeral or config.KEY`,
      );
    return pairOf(word, value);
  });
}

function envWord(line: string, image: ImageSays): Pair[] {
  const end = line.indexOf('=');
  if (end < 0) return [];
  const [name, value] = [line.slice(0, end), line.slice(end + 1)];
  const word = own(ENV, name) ?? configWord(name);
  return word === null || image.hasEnv(name, value) ? [] : pairOf(word, value);
}

/** The word `config.KEY` of a variable. Two underscores stand for a dot, because shells allow no dot in its name. */
function configWord(name: string): string | null {
  if (!name.startsWith(ENV_CONFIG)) return null;
  return CONFIG + name.slice(ENV_CONFIG.length).replaceAll('__', '.');
}

function isWord(word: string): boolean {
  return PLAIN.includes(word) || (word.startsWith(CONFIG) && KEY.test(word.slice(CONFIG.length)));
}

/** Empty for a word that does not exist, and for a value that was not valid UTF-8. */
function pairOf(word: string, value: string): Pair[] {
  return isWord(word) && value.isWellFormed() && !value.includes('\ufffd') ? [[word, value]] : [];
}

/** As many words as fit, in the order of their names. So the same container always has the same words. */
function bounded(words: OwnRecord<string>): OwnRecord<string> {
  const rank = (word: string) => (PLAIN.includes(word) ? 0 : 1);
  const sorted = Object.keys(words).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  let bytes = 0;
  const fitting = sorted.slice(0, WORDS_MAX).filter((word) => {
    bytes += Buffer.byteLength(word) + Buffer.byteLength(words[word] as string);
    return bytes <= WORDS_MAX_BYTES;
  });
  return recordOf(fitting.map((word) => [word, words[word] as string]));
}
