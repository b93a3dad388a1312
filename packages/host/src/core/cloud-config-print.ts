import { isCollection, isMap, isScalar, type Pair, Scalar } from 'yaml';
import { type CloudConfig, isNull, isTextNode } from './cloud-config.ts';
import { childrenOf } from './yaml-aliases.ts';
import { readYaml, YAML_LENGTH_MAX } from './yaml-text.ts';

/** Longest result in UTF-16 units: written-out aliases and added keys may make the text longer. */
export const PRINTED_LENGTH_MAX = 2 * YAML_LENGTH_MAX;

/**
 * Prints a cloud-config as LXD does: its header, then block YAML with sorted keys and with sequences not
 * indented under their key. Comments are kept, and line ends are those of the header. The document must not have aliases: sorting could put one
 * before its anchor.
 * @returns undefined if the result would be too long or have another meaning
 */
export function printCloudConfig({ document, header }: CloudConfig): string | undefined {
  try {
    toBlock(document.contents);
    const body = document.toString({ indentSeq: false, lineWidth: 0 });
    const again = readYaml(body, { schema: 'failsafe', uniqueKeys: true }, PRINTED_LENGTH_MAX);
    if (!again || shapeOf(again.contents) !== shapeOf(document.contents)) return undefined;
    return header.endsWith('\r\n') ? header + body.replaceAll('\n', '\r\n') : header + body;
  } catch {
    // The printer throws for documents that it cannot write, and for those nested too deep.
    return undefined;
  }
}

/** Sets block style, sorts keys and writes nulls as `null`, on all levels. */
export function toBlock(node: unknown): void {
  if (isNull(node)) node.value = 'null';
  // An empty block scalar would include the comment beside it in its text.
  if (isScalar(node) && node.value === '') node.type = 'QUOTE_DOUBLE';
  if (!isCollection(node)) return;
  // An empty list in block style would be printed in its parent's column.
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

/** The meaning of a node as text, for comparison only. */
export function shapeOf(node: unknown): string {
  if (isScalar(node)) return JSON.stringify([isTextNode(node), node.tag, node.value]);
  if (!isCollection(node)) return 'nothing';
  return `${isMap(node) ? 'map' : 'list'} ${node.tag ?? ''}(${childrenOf(node).map(shapeOf).join()})`;
}
