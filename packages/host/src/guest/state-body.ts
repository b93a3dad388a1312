/** The meaning of the body of a `PATCH /1.0`. */
export type StateBody =
  | { readonly kind: 'state'; readonly ready: boolean }
  | { readonly kind: 'invalid-body'; readonly reason: string }
  /** `quoted` is the given state in quotes, with control characters escaped. */
  | { readonly kind: 'invalid-state'; readonly quoted: string };

/** A longer state is cut in the error message. */
const QUOTED_CHARACTERS_MAX = 256;

/**
 * Reads the body of a `PATCH /1.0` as LXD's JSON decoder does: only the first JSON value counts, the name of
 * the field may be in any case, other fields are ignored, and `null` counts as absent.
 */
export function readState(body: Buffer): StateBody {
  const first = firstJsonValue(body.toString());
  if (first === '') return { kind: 'invalid-body', reason: 'EOF' };
  if (first === undefined) return { kind: 'invalid-body', reason: 'unexpected EOF' };
  let value: unknown;
  try {
    value = JSON.parse(first);
  } catch {
    return { kind: 'invalid-body', reason: 'invalid JSON' };
  }
  return stateOf(value);
}

function stateOf(value: unknown): StateBody {
  if (typeof value !== 'object' || Array.isArray(value)) {
    return { kind: 'invalid-body', reason: 'not a JSON object' };
  }
  let state = '';
  for (const [name, given] of Object.entries(value ?? {})) {
    if (name.toUpperCase() !== 'STATE' || given === null) continue;
    if (typeof given !== 'string') return { kind: 'invalid-body', reason: 'state is not a string' };
    state = given;
  }
  if (state === 'Ready' || state === 'Started') return { kind: 'state', ready: state === 'Ready' };
  return { kind: 'invalid-state', quoted: quote(state) };
}

/** The text of the first JSON value; empty if there are only blanks, undefined if the value does not end. */
function firstJsonValue(text: string): string | undefined {
  const start = text.search(/[^ \t\r\n]/);
  if (start < 0) return '';
  const opening = text[start];
  if (opening === '{' || opening === '[' || opening === '"') {
    const end = endOfNested(text, start);
    return end === undefined ? undefined : text.slice(start, end);
  }
  return /^[^\s{}[\]",:]*/.exec(text.slice(start))![0] || text[start];
}

function endOfNested(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (depth === 0 && !inString) return at + 1;
  }
  return undefined;
}

/** A text in quotes, always on one line. */
function quote(text: string): string {
  const cut = text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}...` : text;
  return JSON.stringify(cut.toWellFormed()).replace(/[\u007f-\u009f\u2028\u2029]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
