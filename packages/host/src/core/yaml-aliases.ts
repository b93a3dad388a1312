import { type Document, isAlias, isCollection, isNode, isPair, isScalar, type Node } from 'yaml';

/**
 * The most nodes of a document after its aliases are written out. A text of the maximum length has fewer
 * itself, so only aliases of aliases can exceed this.
 */
const NODES_MAX = 64 * 1024;

/** Thrown if there are too many nodes, or a node contains itself. */
class TooMuch extends Error {}

/**
 * Replaces each alias by a copy of its anchor's node, and removes the anchors.
 * @returns false if there are too many nodes, or they nest too deep: the document must then not be used
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

/** The direct children of a collection: items, or keys and values. */
export function childrenOf(collection: { readonly items: readonly unknown[] }): Node[] {
  return collection.items.flatMap((item) => (isPair(item) ? [item.key, item.value] : [item])).filter(isNode);
}

interface Progress {
  /** Only complete nodes, so that an alias inside its own anchor finds none. */
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
