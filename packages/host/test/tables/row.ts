/** The defect, the request, its body, status and text of the refusal; `FP` is an image's fingerprint. */
export type Row = readonly [what: string, request: string, body: unknown, status: number, error: string];

/** The error text for an invalid instance name. */
export function invalidName(rule: string): string {
  return `Invalid instance name: Name ${rule}`;
}
