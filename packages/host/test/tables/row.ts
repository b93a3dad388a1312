/** What is wrong, the request and its body, and status and text of the refusal; `FP` is an image's fingerprint. */
export type Row = readonly [what: string, request: string, body: unknown, status: number, error: string];

/** A refusal of an instance's name. */
export function invalidName(rule: string): string {
  return `Invalid instance name: Name ${rule}`;
}
