import { isCollection, isMap, isScalar, type Pair, Scalar } from 'yaml';
import { type CloudConfig, isNull, isTextNode } from './cloud-config.ts';
import { childrenOf } from './yaml-aliases.ts';
import { readYaml, YAML_LENGTH_MAX } from './yaml-text.ts';

/** Longest result: aliases that were written out and keys that were added may make it longer than what was read. */
const PRINTED_LENGTH_MAX = 2 * YAML_LENGTH_MAX;

/**
 * Prints a cloud-config as LXD does: its header, then block YAML with sorted keys, sequences not indented under
 * their key. Comments are kept. The document may have no aliases: sorting could put one before its anchor.
 * @returns undefined if the result would be too long, or would not mean the same
 */
export function printCloudConfig({ document, header }: CloudConfig): string | undefined {
  try {
    toBlock(document.contents);
    const body = document.toString({ indentSeq: false, lineWidth: 0 });
    const again = readYaml(body, { schema: 'failsafe', uniqueKeys: true }, PRINTED_LENGTH_MAX);
    return again && shapeOf(again.contents) === shapeOf(document.contents) ? header + body : undefined;
  } catch {
    // The printer throws for some documents that it has no notation for, and for those that nest too deep.
    return undefined;
  }
}

/** Block style, sorted keys, nulls spelled out; all levels. */
function toBlock(node: unknown): void {
  if (isNull(node)) node.value = 'null';
  // Without a line of its own, an empty block scalar would swallow the comment beside it.
  if (isScalar(node) && node.value === '') node.type = 'QUOTE_DOUBLE';
  if (!isCollection(node)) return;
  // An empty list in block style would be printed at its parent's column.
  node.flow = node.items.length === 0;
  if (isMap(node)) {
    for (const pair of node.items) pair.value ??= nullNode();
    node.items.sort((one, other) => (keyText(one) < keyText(other) ? -1 : 1));
  }
  for (const child of childrenOf(node)) toBlock(child);
}

function nullNode(): Scalar {
  const node = new Scalar('null');
  node.type = 'PLAIN';
  return node;
}

function keyText({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : String(key);
}

/** What a node means, as text. Only for comparing. */
function shapeOf(node: unknown): string {
  if (isScalar(node)) return JSON.stringify([isTextNode(node), node.tag, node.value]);
  if (!isCollection(node)) return 'nothing';
  return `${isMap(node) ? 'map' : 'list'} ${node.tag ?? ''}(${childrenOf(node).map(shapeOf).join()})`;
}
