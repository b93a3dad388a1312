/** Names of variables as runtimes tolerate them: some strip spaces. */
function plain(text: string): string {
  return text.replace(/[\s"']/g, '');
}

/**
 * What an image says, in its config and its manifest: each text with its key, and each text of a list, wherever it
 * stands. So it does not matter how a runtime reads these files, such as with what letters' case.
 */
export class ImageSays {
  readonly #pairs = new Set<string>();
  /** Variables of the host that an image asks for, `*` at the end for all with that beginning. */
  readonly #asked: string[] = [];

  /** For a container without an image. */
  static readonly nothing = new ImageSays();

  /**
   * Reads JSON files of an image, which anybody may have made.
   * @returns null if one is not to be relied on: it is no JSON, or says a key twice
   */
  static from(texts: readonly string[]): ImageSays | null {
    const says = new ImageSays();
    return texts.every((text) => says.#read(text)) ? says : null;
  }

  /** Whether the image has this label or annotation. */
  has(key: string, value: string): boolean {
    return this.#pairs.has(plain(`${key}=${value}`));
  }

  /** Whether the image sets this variable to this value, or asks for it. */
  hasEnv(name: string, value: string): boolean {
    const isAsked = (asked: string) =>
      asked.endsWith('*') ? name.startsWith(asked.slice(0, -1)) : name === asked;
    return this.has(name, value) || this.#asked.some(isAsked);
  }

  /** Go merges objects that a file has twice under one key, JavaScript takes the last: such a file is refused. */
  #read(text: string): boolean {
    let keys = 0;
    try {
      const waiting: unknown[] = [JSON.parse(text)];
      while (waiting.length > 0) {
        const next = waiting.pop();
        if (Array.isArray(next)) this.#list(next, waiting);
        else if (typeof next === 'object' && next !== null) keys += this.#object(next, waiting);
      }
    } catch {
      return false;
    }
    return keys === keysIn(text);
  }

  #list(list: readonly unknown[], waiting: unknown[]): void {
    for (const each of list) {
      if (typeof each !== 'string') waiting.push(each);
      else if (each.includes('=')) this.#pairs.add(plain(each));
      else if (/^\s*(P|\*)/.test(each)) this.#asked.push(plain(each));
    }
  }

  /** @returns how many keys it has */
  #object(object: object, waiting: unknown[]): number {
    const entries = Object.entries(object);
    for (const [key, value] of entries) {
      if (typeof value === 'string') this.#pairs.add(plain(`${key}=${value}`));
      else waiting.push(value);
    }
    return entries.length;
  }
}

/** How many keys the text of a JSON file has, equal ones too. */
function keysIn(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon) count++;
  return count;
}
