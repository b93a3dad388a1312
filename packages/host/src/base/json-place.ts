/**
 * Where a text stops being JSON, as `line 3 column 7`. JSON.parse does not say that of all errors: the place is the end
 * of the longest beginning that could still become JSON.
 */
export function brokenPlace(text: string): string {
  let [good, bad] = [0, text.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (couldContinue(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  const end = couldContinue(text) ? text.length : good;
  const lines = text.slice(0, end).split('\n');
  return `line ${lines.length} column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** Whether the error of this text, if there is one, is at its end. */
function couldContinue(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = (error as Error).message;
    if (/end of JSON input|Unterminated string/.test(message)) return true;
    return message.includes(` at position ${text.length} `);
  }
}
