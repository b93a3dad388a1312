/** Whether a parsed value is a map, and no list or scalar. */
export function isYamlMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
