import { isMap, isSeq, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { type CloudConfig, isTextNode } from './cloud-config.ts';
import { printCloudConfig } from './cloud-config-print.ts';
import { writeOutAliases } from './yaml-aliases.ts';

/** The ssh keys of one user: public keys, and ids to import keys by, such as `gh:name`. */
export interface UserKeys {
  readonly publicKeys: readonly string[];
  readonly importIds: readonly string[];
}

/** The text with ssh keys merged in, or the reason why it stays as it is. */
export type Merged = { readonly text: string } | { readonly problem: string };

/** LXD writes both spellings of each option; cloud-init accepts either. */
const PUBLIC_KEYS = ['ssh_authorized_keys', 'ssh-authorized-keys'];
const IMPORT_IDS = ['ssh_import_id', 'ssh-import-id'];

/** Thrown to end the merge; the text stays as it is. */
class CannotMerge extends Error {}

/** Merges ssh keys into `users` of a cloud-config: all of them or none. Changes the cloud-config in place. */
export function mergeUsers(cloudConfig: CloudConfig, users: ReadonlyMap<string, UserKeys>): Merged {
  const { document, mapping } = cloudConfig;
  if (!writeOutAliases(document)) return { problem: 'its aliases or its nesting are too much' };
  try {
    refuseMergeKey(mapping, 'the document');
    const list = listOf(mapping, 'users');
    for (const [user, keys] of users) addKeys(entryOf(list, user), keys);
    put(mapping, 'users', list);
  } catch (error) {
    if (error instanceof CannotMerge) return { problem: error.message };
    throw error;
  }
  const text = printCloudConfig(cloudConfig);
  return text === undefined ? { problem: 'it cannot be printed again' } : { text };
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

/** The mapping of a user in the list: the first one of that name; if there is none, one is added. */
function entryOf(list: YAMLSeq, user: string): YAMLMap {
  for (const [index, entry] of list.items.entries()) {
    if (isMap(entry)) {
      refuseMergeKey(entry, 'an entry of users');
      const name = entry.get('name', true);
      if (isTextNode(name) && name.value === user) return entry;
    } else if (!isTextNode(entry)) {
      throw new CannotMerge('an entry of users is neither a mapping nor a text');
    } else if (entry.value === user) {
      const mapping = newEntry(list, entry);
      list.items[index] = mapping;
      return mapping;
    }
  }
  const added = newEntry(list, textNode(user));
  list.items.push(added);
  return added;
}

function newEntry(list: YAMLSeq, name: Scalar): YAMLMap {
  const entry = new YAMLMap(list.schema);
  put(entry, 'name', name);
  return entry;
}

function addKeys(entry: YAMLMap, { publicKeys, importIds }: UserKeys): void {
  for (const option of PUBLIC_KEYS) addTo(entry, option, publicKeys);
  for (const option of IMPORT_IDS) addTo(entry, option, importIds);
}

function addTo(entry: YAMLMap, option: string, values: readonly string[]): void {
  if (values.length === 0) return;
  const list = listOf(entry, option);
  const present = new Set(list.items.filter(isTextNode).map((item) => item.value));
  const missing = new Set(values).difference(present);
  if (missing.size === 0) return;
  for (const value of missing) {
    const node = textNode(value);
    node.comment = 'lxd:cloud-init.ssh-keys';
    list.items.push(node);
  }
  put(entry, option, list);
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
