/** Whether a parsed value is a map, not a list or scalar. */
export function isYamlMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
