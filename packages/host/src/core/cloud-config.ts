import { type Document, isMap, isScalar, type ParsedNode, type Scalar, YAMLMap } from 'yaml';
import { readYaml } from './yaml-text.ts';

/** A text that cloud-init reads as `#cloud-config`. */
export interface CloudConfig {
  /** Leading comment lines, each with its line end; not empty. */
  readonly header: string;
  /** The rest; its scalars are kept as text, so that they are printed as they were written. */
  readonly document: Document<ParsedNode>;
  readonly mapping: YAMLMap;
  /** Whether `users` is set, and not to the empty string. */
  readonly hasUsers: boolean;
}

const MARK = '#cloud-config';

/**
 * Reads user data or vendor data.
 * @returns undefined if it is not a cloud-config mapping; for an empty text, an empty mapping
 */
export function readCloudConfig(text: string): CloudConfig | undefined {
  // The mark must be one of the first two lines: a line that marks a template may come before it.
  const isMarked = text.split('\n', 2).some((line) => line.trim() === MARK);
  if (text !== '' && !isMarked) return undefined;
  const comments = /^(#.*(\n|$))*/.exec(text)?.[0] ?? '';
  const document = readYaml(text.slice(comments.length), { schema: 'failsafe', uniqueKeys: true });
  const mapping = document && mappingOf(document);
  if (!mapping) return undefined;
  const users = mapping.get('users', true);
  const hasUsers = users !== undefined && !(isScalar(users) && users.value === '' && users.type !== 'PLAIN');
  return {
    header: comments === '' ? `${MARK}\n` : comments.replace(/\n?$/, '\n'),
    document,
    mapping,
    hasUsers,
  };
}

function mappingOf(document: Document<ParsedNode>): YAMLMap | undefined {
  const { contents } = document;
  if (isMap(contents)) return contents as YAMLMap;
  if (contents !== null && !isNull(contents)) return undefined;
  const mapping = new YAMLMap(document.schema);
  document.contents = mapping as unknown as ParsedNode;
  return mapping;
}

/** Plain texts that YAML's core schema reads as null, boolean or number. */
const NOT_TEXT =
  /^(~|null|Null|NULL|true|True|TRUE|false|False|FALSE|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))?$/;

/** Whether a reader of the document takes the node as text, not as a number or the like. */
export function isTextNode(node: unknown): node is Scalar<string> {
  if (!isScalar(node) || typeof node.value !== 'string') return false;
  if (node.tag !== undefined) return node.tag === 'tag:yaml.org,2002:str';
  return node.type !== 'PLAIN' || !NOT_TEXT.test(node.value);
}

/** Whether a node has an empty value, which YAML reads as null. */
export function isNull(node: unknown): node is Scalar {
  return (
    isScalar(node) &&
    (node.value === null || (node.value === '' && node.type === 'PLAIN')) &&
    node.tag === undefined
  );
}
