import { isMap, isScalar, isSeq, type Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { type CloudConfig, isNull, isTextNode, type Problem } from './cloud-config.ts';
import { printCloudConfig } from './cloud-config-print.ts';
import { placeOfUsers, spliceUsers } from './cloud-config-splice.ts';
import { childrenOf, writeOutAliases } from './yaml-aliases.ts';

/** The ssh keys of one user: public keys, and ids to import keys by, such as `gh:name`. */
export interface UserKeys {
  readonly publicKeys: readonly string[];
  readonly importIds: readonly string[];
}

/** The text with ssh keys merged in, or the reason why it stays as it is. */
export type Merged = { readonly text: string } | Problem;

const PUBLIC_KEYS = 'ssh_authorized_keys';
const IMPORT_IDS = 'ssh_import_id';

/** Thrown to end the merge; the text stays as it is. */
class CannotMerge extends Error {}

/** Merges ssh keys into `users` of a cloud-config: all of them or none. Changes the cloud-config in place. */
export function mergeUsers(cloudConfig: CloudConfig, users: ReadonlyMap<string, UserKeys>): Merged {
  const { document, mapping, isTemplate } = cloudConfig;
  const place = isTemplate ? placeOfUsers(cloudConfig) : undefined;
  if (isTemplate && !place) return { problem: 'its users depend on the expressions of a template' };
  if (!writeOutAliases(document)) return { problem: 'its aliases or its nesting are too much' };
  try {
    refuseOddKeys(mapping);
    refuseMergeKey(mapping, 'the document');
    const list = listOf(mapping, 'users');
    for (const [user, keys] of users) addKeys(entriesOf(list, user), keys);
    put(mapping, 'users', list);
  } catch (error) {
    if (error instanceof CannotMerge) return { problem: error.message };
    if (error instanceof RangeError) return { problem: 'its aliases or its nesting are too much' };
    throw error;
  }
  const text = place ? spliceUsers(cloudConfig, place) : printCloudConfig(cloudConfig);
  return text === undefined ? { problem: 'it cannot be printed again' } : { text };
}

/** cloud-init cannot read such a key. Most often it is `{{ ... }}` without quotes or without template header. */
function refuseOddKeys(node: Node): void {
  if (isMap(node) && node.items.some(({ key }) => !isScalar(key) || isNull(key)))
    throw new CannotMerge('a key of a mapping is empty or not a scalar');
  if (isMap(node) || isSeq(node)) for (const child of childrenOf(node)) refuseOddKeys(child);
}

/** Refuses a mapping with `<<`: the keys that it brings in are not read, so a key may be there unseen. */
function refuseMergeKey(mapping: YAMLMap, what: string): void {
  if (mapping.has('<<')) throw new CannotMerge(`${what} has a merge key`);
}

/** The list at a key: the list that is there, a list with the text that is there, or an empty list. */
function listOf(mapping: YAMLMap, key: string): YAMLSeq {
  const node = mapping.get(key, true);
  if (isSeq(node)) return node;
  const list = new YAMLSeq(mapping.schema);
  if (node === undefined) return list;
  if (!isTextNode(node)) throw new CannotMerge(`${key} is neither a list nor a text`);
  if (node.value !== '') list.items.push(node);
  return list;
}

/** The mappings of a user in the list; if there is none, one is made from the plain name, or added. */
function entriesOf(list: YAMLSeq, user: string): YAMLMap[] {
  const found = list.items.filter((entry): entry is YAMLMap => isMap(entry) && isEntryOf(entry, user));
  const odd = list.items.find((entry) => !isMap(entry) && !isTextNode(entry));
  if (odd !== undefined) throw new CannotMerge('an entry of users is neither a mapping nor a text');
  if (found.length > 0) return found;
  const index = list.items.findIndex((entry) => isTextNode(entry) && entry.value === user);
  const name = index === -1 ? textNode(user) : (list.items[index] as Scalar);
  const added = new YAMLMap(list.schema);
  put(added, 'name', name);
  list.items[index === -1 ? list.items.length : index] = added;
  return [added];
}

function isEntryOf(entry: YAMLMap, user: string): boolean {
  refuseMergeKey(entry, 'an entry of users');
  const name = entry.get('name', true);
  return isTextNode(name) && name.value === user;
}

function addKeys(entries: readonly YAMLMap[], { publicKeys, importIds }: UserKeys): void {
  addOption(entries, PUBLIC_KEYS, publicKeys);
  addOption(entries, IMPORT_IDS, importIds);
}

/**
 * cloud-init takes `-` for `_` in names of options, and one list replaces another: so the values go into each
 * list that is there, and into a new one only if there is none.
 */
function addOption(entries: readonly YAMLMap[], option: string, values: readonly string[]): void {
  if (values.length === 0) return;
  const spellings = [option, option.replaceAll('_', '-')];
  const lists = entries.flatMap((entry) => spellings.map((name) => [entry, name] as const));
  const present = lists.filter(([entry, name]) => entry.has(name));
  for (const [entry, name] of present.length > 0 ? present : lists.slice(0, 1)) addTo(entry, name, values);
}

function addTo(entry: YAMLMap, option: string, values: readonly string[]): void {
  const list = listOf(entry, option);
  const present = new Set(list.items.filter(isTextNode).map((item) => identityOf(item.value)));
  const size = list.items.length;
  for (const value of values) {
    if (present.has(identityOf(value))) continue;
    present.add(identityOf(value));
    const node = textNode(value);
    node.comment = 'lxd:cloud-init.ssh-keys';
    list.items.push(node);
  }
  if (list.items.length > size) put(entry, option, list);
}

/** Type and key of a public key without options: its comment does not make it another key. */
function identityOf(value: string): string {
  return /^(?:ssh|ecdsa|sk)-\S+\s+\S+/.exec(value)?.[0].replace(/\s+/, ' ') ?? value;
}

/** Sets a key, in the form of a node, as the parser makes keys. */
function put(mapping: YAMLMap, key: string, value: YAMLSeq | Scalar): void {
  mapping.set(textNode(key), value);
}

/** A text node, quoted if a reader of YAML 1.1 or 1.2 could read it as something other than text. */
function textNode(value: string): Scalar<string> {
  const node = new Scalar(value);
  const isDoubtful = /^([-+.0-9]|(y|n|yes|no|on|off|true|false|null|~|=|<<)?$)/i.test(value);
  if (isDoubtful) node.type = 'QUOTE_DOUBLE';
  return node;
}
