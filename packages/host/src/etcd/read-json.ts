/**
 * An object that etcd, or something in front of it, has sent as JSON. The types of its fields are not checked.
 * @throws SyntaxError for everything that is no object
 */
export function readJson<T extends object>(text: string): T {
  const json: unknown = JSON.parse(text);
  if (typeof json !== 'object' || json === null) throw new SyntaxError('this is no object');
  return json as T;
}
