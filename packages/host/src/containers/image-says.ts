/** A text without blanks and quotes, because some runtimes strip them from names of variables. */
function plain(text: string): string {
  return text.replace(/[\s"']/g, '');
}

/**
 * What an image says in its config and its manifest: each text with its key, and each text of a list, at any depth.
 * Runtimes read these files in different ways, for example some ignore the case of keys. So the path to a text does not
 * matter here.
 */
export class ImageSays {
  readonly #pairs = new Set<string>();
  /** Variables of the host that an image asks for. A `*` at the end stands for any rest. */
  readonly #asked: string[] = [];

  /** The value for a container without an image. */
  static readonly nothing = new ImageSays();

  /**
   * Reads JSON files of an image, which any user may have made.
   * @returns null if a file cannot be trusted: it is not valid JSON, or has a key twice
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

  /** @returns false for a key that is there twice: Go merges both objects, JavaScript takes the last one */
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

  /** @returns the number of its keys */
  #object(object: object, waiting: unknown[]): number {
    const entries = Object.entries(object);
    for (const [key, value] of entries) {
      if (typeof value === 'string') this.#pairs.add(plain(`${key}=${value}`));
      else waiting.push(value);
    }
    return entries.length;
  }
}

/** The number of keys in the text of a JSON file; equal keys count twice. */
function keysIn(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon) count++;
  return count;
}
