import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  type Node,
  type Pair,
} from 'yaml';
import { type CloudConfig, isNull } from './cloud-config.ts';

/**
 * Nodes of a document once its aliases are written out: a text of the greatest length that is read has fewer by
 * itself, so that only aliases of aliases can come here.
 */
const NODES_MAX = 64 * 1024;

/**
 * Edits a cloud-config and prints it as LXD does: its header, then block YAML with sorted keys, sequences not
 * indented under their key. Comments are kept; aliases are written out, because sorting could put one before
 * its anchor.
 * @returns undefined if that would be too much
 */
export function printCloudConfig(
  cloudConfig: CloudConfig,
  edit: (cloudConfig: CloudConfig) => void,
): string | undefined {
  const { document, header } = cloudConfig;
  try {
    if (!writeOutAliases(document)) return undefined;
    edit(cloudConfig);
    toBlock(document.contents);
    return header + document.toString({ indentSeq: false, lineWidth: 0 });
  } catch (error) {
    // Editing and printing recurse as deep as the document nests.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Puts a copy of its anchor's node in place of each alias; false if there are too many nodes or a cycle. */
function writeOutAliases(document: Document): boolean {
  const anchors = new Map<string, Node>();
  let nodes = 0;
  let isFine = true;
  const count = (node: Node): void => {
    if (++nodes > NODES_MAX) isFine = false;
    if (isFine && isCollection(node)) children(node).forEach(count);
  };
  const resolve = (node: Node): Node => {
    if (!isFine) return node;
    if (isAlias(node)) {
      // A node's anchor is known once the node is complete, so a cycle finds none.
      const target = anchors.get(node.source);
      isFine &&= target !== undefined;
      if (!target) return node;
      count(target);
      return isFine ? (target.clone() as Node) : node;
    }
    if (++nodes > NODES_MAX) isFine = false;
    if (isCollection(node)) replaceChildren(node, resolve);
    if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) {
      anchors.set(node.anchor, node);
      delete node.anchor;
    }
    return node;
  };
  if (isNode(document.contents)) resolve(document.contents);
  return isFine;
}

function children(collection: { items: unknown[] }): Node[] {
  return collection.items.flatMap((item) => (isPair(item) ? [item.key, item.value] : [item])).filter(isNode);
}

function replaceChildren(collection: { items: unknown[] }, replace: (node: Node) => Node): void {
  const replaced = (item: unknown) => (isNode(item) ? replace(item) : item);
  for (const [index, item] of collection.items.entries()) {
    if (!isPair(item)) {
      collection.items[index] = replaced(item);
      continue;
    }
    item.key = replaced(item.key);
    item.value = replaced(item.value);
  }
}

/** Block style, sorted keys, nulls spelled out; all levels. */
function toBlock(node: unknown): void {
  if (isNull(node)) node.value = 'null';
  if (!isCollection(node)) return;
  node.flow = false;
  if (isMap(node)) node.items.sort((one, other) => (keyText(one) < keyText(other) ? -1 : 1));
  for (const child of children(node)) toBlock(child);
}

function keyText({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}
