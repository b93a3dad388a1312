import { type Document, type ParsedNode, parseDocument } from 'yaml';

/**
 * The longest text that is read as YAML, in UTF-16 units. At this size, the worst texts take half a second to
 * read; real cloud-init data is a few KiB.
 */
export const YAML_LENGTH_MAX = 64 * 1024;

/** How scalars are read: with `core` as in YAML 1.2, with `failsafe` each as text. */
export interface YamlOptions {
  readonly schema: 'core' | 'failsafe';
  readonly uniqueKeys: boolean;
}

/**
 * The single document of a text; undefined if the text is longer than the limit, nested too deep or not YAML.
 * Aliases are not followed.
 */
export function readYaml(
  text: string,
  options: YamlOptions,
  lengthMax = YAML_LENGTH_MAX,
): Document<ParsedNode> | undefined {
  if (text.length > lengthMax) return undefined;
  try {
    const document = parseDocument(text, { ...options, prettyErrors: false, logLevel: 'error' });
    return document.errors.length === 0 ? (document as Document<ParsedNode>) : undefined;
  } catch (error) {
    // The parser recurses to the depth of the text, which can exhaust the stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
