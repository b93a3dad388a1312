import type { Config } from './entities.ts';
import { own, recordOf } from './records.ts';
import { matching } from './texts.ts';

/** Only the server sets these keys. They say which container of another runtime an adopted instance is. */
const PREFIX = 'volatile.container.';

/** The runtimes whose containers the daemon adopts by itself. */
const CONTAINER_RUNTIMES = ['podman', 'docker', 'oci', 'nspawn', 'lxc'] as const;
export type ContainerRuntime = (typeof CONTAINER_RUNTIMES)[number];

/** A container of another runtime, as the records of that runtime describe it. Texts are empty when unknown. */
export interface Container {
  readonly runtime: ContainerRuntime;
  /** The runtime's own id. */
  readonly id: string;
  /** The container's name in the runtime. */
  readonly name: string;
  readonly image: string;
  /** Digest of the image, such as `sha256:...`. */
  readonly digest: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The uid of the user who has started it; empty for root. */
  readonly owner: string;
  /** The config keys that its operator's words have set. */
  readonly said?: readonly string[];
  /** Folder or file of the runtime that disappears when the container is removed. */
  readonly record: string;
}

/** Labels beyond this are not kept: they would make each list of instances long. */
const LABELS_MAX_BYTES = 16 * 1024;

/** What each key that is a text says, for the documentation. */
export const CONTAINER_ABOUT = {
  runtime: 'the name of the runtime',
  id: "the container's id",
  name: "the container's name in that runtime",
  image: "the container's image",
  digest: "the digest of the container's image",
  owner: 'the uid of the user who has started the container; empty for root',
  said: "the config keys that the operator's words have set, separated by commas",
  record: 'the folder or file that disappears when the runtime removes the container',
} as const;
export const CONTAINER_TEXTS = Object.keys(CONTAINER_ABOUT) as (keyof typeof CONTAINER_ABOUT)[];

/** The longest text, in characters. */
const TEXT_MAX = 4096;

/** For the check of a value that only the server sets. */
export const checkContainerText = matching(/^[^\x00-\x1f\x7f]{0,4096}$/, 'a line of at most 4096 characters');
export const checkContainerLabels = matching(/^\{.*\}$/s, 'a JSON object');

export function isContainerKey(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** The container that an instance is, or was in its last run; null if it was not adopted by a hook. */
export function containerOf(config: Config): Container | null {
  const text = (name: string) => own(config, `${PREFIX}${name}`) ?? '';
  const runtime = CONTAINER_RUNTIMES.find((each) => each === text('runtime'));
  if (runtime === undefined) return null;
  return {
    runtime,
    id: text('id'),
    name: text('name'),
    image: text('image'),
    digest: text('digest'),
    owner: text('owner'),
    record: text('record'),
    // Parsed only when needed: labels may be long, and a search for a container goes through all instances.
    get labels() {
      return labelsOf(text('labels'));
    },
    ...(text('said') === '' ? {} : { said: text('said').split(',') }),
  };
}

/** The config with this container instead of the earlier one; null for no container. */
export function withContainer(config: Config, container: Container | null): Config {
  const others = Object.entries(config).filter(([key]) => !isContainerKey(key));
  return recordOf([...others, ...(container === null ? [] : entriesOf(container))]);
}

function entriesOf(container: Container): (readonly [string, string])[] {
  const texts = CONTAINER_TEXTS.map((name) => [`${PREFIX}${name}`, lineOf(textOf(container, name))] as const);
  // Separators of lines and paragraphs, which JSON leaves as they are: values are one line.
  const labels = JSON.stringify(container.labels).replace(/[\u2028\u2029]/g, (each) =>
    each === '\u2028' ? '\\u2028' : '\\u2029',
  );
  const kept = labels.length > 2 && Buffer.byteLength(labels) <= LABELS_MAX_BYTES;
  return [
    ...texts.filter(([, value]) => value !== ''),
    ...(kept ? [[`${PREFIX}labels`, labels] as const] : []),
  ];
}

/** The value for a text; empty for a list of keys that is too long for one line. */
function textOf(container: Container, name: (typeof CONTAINER_TEXTS)[number]): string {
  if (name !== 'said') return container[name];
  const said = container.said?.join(',') ?? '';
  return said.length <= TEXT_MAX ? said : '';
}

/** Makes a config value of one line. Records of another runtime may contain any text. */
function lineOf(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, ' ').slice(0, TEXT_MAX);
}

function labelsOf(json: string): Container['labels'] {
  if (json === '') return {};
  return recordOf(Object.entries(JSON.parse(json) as Record<string, string>));
}
