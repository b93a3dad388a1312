/** A map that says whether it has changed. */
export class VersionedMap<K, V> extends Map<K, V> {
  #version = 0;

  /** Another number after each change. */
  get version(): number {
    return this.#version;
  }

  override set(key: K, value: V): this {
    this.#version++;
    return super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#version++;
    return super.delete(key);
  }
}
