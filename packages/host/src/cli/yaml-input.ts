import { isYamlMap } from '../base/yaml-map.ts';

/** The fields of instances and images that are no texts. */
const BOOLEANS: ReadonlySet<string> = new Set(['ephemeral', 'stateful', 'public', 'auto_update']);

/** As YAML 1.1 has them, which LXD's client and other tools read and write. */
const TRUE = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/**
 * An object for the host API, from YAML whose scalars are texts: values of config keys, options and properties
 * stay as written, so that they need no quotes. One without a value is empty, which unsets it.
 * @param empty the value for an empty text
 * @returns null for anything but a map
 */
export async function parseObject(
  text: string,
  empty: object | null = null,
): Promise<Readonly<Record<string, unknown>> | null> {
  const { parseYamlTexts } = await import('../base/yaml-texts.ts');
  const value = parseYamlTexts(text) ?? empty;
  if (!isYamlMap(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fieldOf(key, field)]));
}

function fieldOf(key: string, field: unknown): unknown {
  if (!BOOLEANS.has(key) || typeof field !== 'string') return field === null ? null : withoutNull(field);
  // What is neither goes to the daemon, which names the field in its refusal.
  return TRUE.test(field) || (FALSE.test(field) ? false : field);
}

function withoutNull(value: unknown): unknown {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map(withoutNull);
  if (!isYamlMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutNull(each)]));
}
