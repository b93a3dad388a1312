import { Document, isScalar, type Node, type Pair, YAMLMap } from 'yaml';
import type { CloudConfig } from './cloud-config.ts';
import { PRINTED_LENGTH_MAX, shapeOf, toBlock } from './cloud-config-print.ts';
import { isMasked, maskExpressions } from './jinja-text.ts';
import { writeOutAliases } from './yaml-aliases.ts';
import { readYaml } from './yaml-text.ts';

/** The part of a template's body that its `users` replace; empty if it has none. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds where `users` goes; call it before the merge.
 * @returns undefined if it cannot be written there without a change of the rest
 */
export function placeOfUsers({ body, document, mapping }: CloudConfig): Place | undefined {
  const pairs = mapping.items as Pair<Node, Node | null>[];
  if (pairs.some(({ key }) => !isScalar(key) || isMasked(String(key.value)))) return undefined;
  const start = document.contents?.range?.[0];
  if (start === undefined || pairs.length === 0) {
    const isEmpty = body.split('\n').every((line) => /^[ \t\r]*(#|$)/.test(line));
    return isEmpty ? { start: 0, end: 0 } : undefined;
  }
  if (mapping.flow || (start > 0 && body[start - 1] !== '\n')) return undefined;
  const users = pairs.find(({ key }) => isScalar(key) && key.value === 'users');
  return users ? placeOf(users, body) : { start, end: start };
}

function placeOf({ key, value }: Pair<Node, Node | null>, body: string): Place | undefined {
  const start = key.range?.[0];
  const end = value?.range?.[2];
  if (start === undefined || end === undefined) return undefined;
  return body.slice(start, end).includes('{{') ? undefined : { start, end };
}

/**
 * The text of a template with the `users` of its mapping at the given place. All else keeps its bytes, because
 * an expression may stand for any text.
 * @returns undefined if the result would be too long or have another meaning
 */
export function spliceUsers(cloudConfig: CloudConfig, { start, end }: Place): string | undefined {
  const { header, body, document, mapping } = cloudConfig;
  try {
    const spliced = body.slice(0, start) + printUsers(mapping) + body.slice(end);
    const masked = maskExpressions(spliced);
    const again = masked && readYaml(masked, { schema: 'failsafe', uniqueKeys: true }, PRINTED_LENGTH_MAX);
    if (!again || !writeOutAliases(again)) return undefined;
    toBlock(document.contents);
    toBlock(again.contents);
    return shapeOf(again.contents) === shapeOf(document.contents) ? header + spliced : undefined;
  } catch {
    // The printer throws for documents that it cannot write, and for those nested too deep.
    return undefined;
  }
}

function printUsers(mapping: YAMLMap): string {
  const document = new Document(undefined, { schema: 'failsafe' });
  const alone = new YAMLMap(document.schema);
  alone.items.push(...mapping.items.filter(({ key }) => isScalar(key) && key.value === 'users'));
  document.contents = alone as never;
  toBlock(alone);
  return document.toString({ indentSeq: false, lineWidth: 0 });
}
