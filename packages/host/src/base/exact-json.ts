/** Node has these; the types of TypeScript do not. */
interface ExactJson {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
}

/**
 * Parses JSON so that JSON.stringify writes each number as it was. Files of other programs have numbers that
 * JavaScript would round, such as a limit of 18446744073709551615.
 * @throws SyntaxError
 */
export function parseExactly(text: string): unknown {
  const json = JSON as unknown as ExactJson;
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? json.rawJSON(source) : value,
  );
}
