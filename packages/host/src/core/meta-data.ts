import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { hostError } from './host-errors.ts';
import type { Check } from './texts.ts';
import { childrenOf } from './yaml-aliases.ts';
import { YAML_LENGTH_MAX } from './yaml-text.ts';

/**
 * The exact body of GET /1.0/meta-data; its first line is a comment to every reader of YAML.
 * @param extra `user.meta-data`, appended as it is; it may set both keys again, and the last one counts
 */
export function metaDataText(instanceId: string, name: string, extra: string): string {
  return `#cloud-config\ninstance-id: ${instanceId}\nlocal-hostname: ${name}\n${extra}`;
}

/** Stands for the two lines before `user.meta-data`, with keys that it does not have. */
const HEAD = 'porthole-instance-id: x\nporthole-local-hostname: x\n';
const HEAD_LINES = 2;

/** PyYAML, cloud-init's reader, refuses these, besides the NUL that no value can have. */
const CONTROL = /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]/;

/** `user.meta-data`: the meta-data has to be one YAML mapping with it. */
export const checkMetaData: Check = (value) => {
  if (value.length > YAML_LENGTH_MAX)
    throw hostError('bad-request', `The maximum length of user.meta-data is ${YAML_LENGTH_MAX} characters`);
  const found = findProblem(value);
  if (!found) return;
  const { line, problem } = found;
  throw hostError('bad-request', `user.meta-data would make meta-data broken YAML: line ${line}: ${problem}`);
};

interface Found {
  /** Of `user.meta-data`, from 1. */
  readonly line: number;
  readonly problem: string;
}

const TOO_DEEP: Found = { line: 1, problem: 'too deep nesting' };

function findProblem(value: string): Found | undefined {
  const control = CONTROL.exec(value);
  if (control)
    return { line: value.slice(0, control.index).split('\n').length, problem: 'a control character' };
  try {
    return problemOf(value);
  } catch (error) {
    // The parser and the walk recurse to the depth of the text, which can exhaust the stack.
    if (error instanceof RangeError) return TOO_DEEP;
    throw error;
  }
}

function problemOf(value: string): Found | undefined {
  const lineCounter = new LineCounter();
  const document = parseDocument(HEAD + value, { lineCounter, prettyErrors: false, logLevel: 'error' });
  const lineAt = (offset: number) => Math.max(1, lineCounter.linePos(offset).line - HEAD_LINES);
  const [error] = document.errors;
  if (error?.code === 'MULTIPLE_DOCS') return { line: lineAt(error.pos[0]), problem: 'a second document' };
  if (error?.message.startsWith('Maximum call stack')) return TOO_DEEP;
  if (error) return { line: lineAt(error.pos[0]), problem: error.message };
  const contents: unknown = document.contents;
  if (!isMap<Node, unknown>(contents) || contents.get('porthole-local-hostname') !== 'x')
    return { line: 1, problem: 'it continues the line before it' };
  const odd = findOddNode(contents, new Set());
  return odd && { line: lineAt(odd.node.range?.[0] ?? 0), problem: odd.problem };
}

/** What the parser accepts and readers do not: keys that are no scalars, aliases without an anchor. */
function findOddNode(node: Node, anchors: Set<string>): { node: Node; problem: string } | undefined {
  if (isAlias(node)) return anchors.has(node.source) ? undefined : { node, problem: 'an unknown alias' };
  if (node.anchor !== undefined) anchors.add(node.anchor);
  if (isMap<Node>(node)) {
    const odd = node.items.find(({ key }) => !isScalar(key) && !isAlias(key));
    if (odd) return { node: odd.key, problem: 'a key that is not a scalar, perhaps braces without quotes' };
  }
  if (!isMap(node) && !isSeq(node)) return undefined;
  for (const child of childrenOf(node)) {
    const found = findOddNode(child, anchors);
    if (found) return found;
  }
  return undefined;
}
