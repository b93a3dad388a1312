import { type Document, isAlias, isCollection, isNode, isPair, isScalar, type Node } from 'yaml';

/**
 * Nodes of a document once its aliases are written out: a text of the greatest length that is read has fewer by
 * itself, so that only aliases of aliases can come here.
 */
const NODES_MAX = 64 * 1024;

/** There are too many nodes, or a node that has itself inside. */
class TooMuch extends Error {}

/**
 * Puts a copy of its anchor's node in place of each alias, and drops the anchors.
 * @returns false if that is too much: the document is of no use then
 */
export function writeOutAliases(document: Document): boolean {
  try {
    if (isNode(document.contents)) resolve(document.contents, { anchors: new Map(), nodes: 0 });
    return true;
  } catch (error) {
    // RangeError: nested deeper than this recursion can go.
    if (error instanceof TooMuch || error instanceof RangeError) return false;
    throw error;
  }
}

/** The nodes right inside a collection: items, or keys and values. */
export function childrenOf(collection: { readonly items: readonly unknown[] }): Node[] {
  return collection.items.flatMap((item) => (isPair(item) ? [item.key, item.value] : [item])).filter(isNode);
}

interface Progress {
  /** Complete nodes only, so that a cycle finds none. */
  readonly anchors: Map<string, Node>;
  nodes: number;
}

function resolve(node: Node, progress: Progress): Node {
  if (isAlias(node)) {
    const target = progress.anchors.get(node.source);
    if (!target) throw new TooMuch();
    countAll(target, progress);
    return target.clone() as Node;
  }
  count(progress);
  if (isCollection(node)) replaceChildren(node, (child) => resolve(child, progress));
  if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) {
    progress.anchors.set(node.anchor, node);
    delete node.anchor;
  }
  return node;
}

function count(progress: Progress): void {
  if (++progress.nodes > NODES_MAX) throw new TooMuch();
}

function countAll(node: Node, progress: Progress): void {
  count(progress);
  if (isCollection(node)) for (const child of childrenOf(node)) countAll(child, progress);
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
