import { type Document, type ParsedNode, parseDocument } from 'yaml';

/**
 * Longest text that is read as YAML, in UTF-16 units: reading takes up to half a second at this size for the
 * worst texts, and real cloud-init data is a few KiB.
 */
export const YAML_LENGTH_MAX = 64 * 1024;

/** How scalars are read: `core` as YAML 1.2 does, `failsafe` keeps each as the text that it is. */
export interface YamlOptions {
  readonly schema: 'core' | 'failsafe';
  readonly uniqueKeys: boolean;
}

/** The one document of a text; undefined if it is longer than the limit, nested too deep or no YAML. Follows no aliases. */
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
    // The parser recurses as deep as the text nests.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
