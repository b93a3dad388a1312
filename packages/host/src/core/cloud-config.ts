import { type Document, isMap, isScalar, type ParsedNode, type Scalar, YAMLMap } from 'yaml';
import { isTemplate, maskExpressions } from './jinja-text.ts';
import { readYaml, YAML_LENGTH_MAX } from './yaml-text.ts';

/** A text that cloud-init reads as `#cloud-config`. */
export interface CloudConfig {
  /** Leading comment lines, each with its line end; not empty. */
  readonly header: string;
  /** The rest, as it is written. */
  readonly body: string;
  /** Whether cloud-init fills in expressions, such as `{{ v1.local_hostname }}`, before it reads the text. */
  readonly isTemplate: boolean;
  /**
   * The body, with the expressions of a template masked. Its scalars are kept as text, so that they are
   * printed as they were written.
   */
  readonly document: Document<ParsedNode>;
  readonly mapping: YAMLMap;
  /** Whether `users` is set, and not to the empty string. */
  readonly hasUsers: boolean;
}

/** Why a text is left as it is. It contains nothing of the text. */
export interface Problem {
  readonly problem: string;
}

const MARK = '#cloud-config';
const MARKED = /^[ \t\r\n]*#cloud-config[ \t\r]*(\n|$)/;

/** PyYAML takes these as line breaks, YAML 1.2 does not, so a text that has them has two meanings. */
const ODD_LINE_BREAK = /\r(?!\n)|[\x85\u2028\u2029]/;

/** Reads user data or vendor data; the empty text is an empty mapping. */
export function readCloudConfig(text: string): CloudConfig | Problem {
  const template = isTemplate(text);
  if (text !== '' && !template && !MARKED.test(text)) return { problem: 'it is no cloud-config mapping' };
  if (text.length > YAML_LENGTH_MAX) return { problem: 'it is too long' };
  if (ODD_LINE_BREAK.test(text)) return { problem: 'it has line breaks that are neither LF nor CRLF' };
  const comments = /^(#[^\n]*(\n|$))*/.exec(text)?.[0] ?? '';
  const body = text.slice(comments.length);
  const masked = template ? maskExpressions(body) : body;
  if (masked === undefined) return { problem: 'it is a template with more than plain expressions' };
  const document = readYaml(masked, { schema: 'failsafe', uniqueKeys: true });
  const mapping = document && mappingOf(document);
  if (!mapping) return { problem: 'it is no cloud-config mapping' };
  const header = comments === '' ? `${MARK}\n` : comments.replace(/\n?$/, '\n');
  return { header, body, isTemplate: template, document, mapping, hasUsers: hasUsers(mapping) };
}

function hasUsers(mapping: YAMLMap): boolean {
  const users = mapping.get('users', true);
  return users !== undefined && !(isScalar(users) && users.value === '' && users.type !== 'PLAIN');
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
