import { z } from 'zod';
import { nameFields } from './field-names.ts';
import { wireError } from './wire-errors.ts';

/**
 * Checks an unknown value and returns it typed. The names of its fields may be in any case.
 * @throws CodedError `bad-request` (400) with a message that names the first wrong field
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(nameFields(schema, value));
  if (result.success) return result.data;
  throw wireError('bad-request', explain(result.error));
}

function explain(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'Invalid request';
  const field = issue.path.map(String).join('.');
  return field ? `${field}: ${issue.message}` : issue.message;
}

/** Parses JSON text. @throws CodedError `not-json` (400) */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const why = json.trim() === '' ? 'it is empty' : (error as Error).message;
    throw wireError('not-json', why);
  }
}

/** Absent and null mean `value`: LXD's client sends unset lists and maps as null, unset strings as "". */
export function orElse<S extends z.ZodType>(schema: S, value: z.output<S>) {
  return schema.nullish().transform((given): z.output<S> => given ?? value);
}

/** A C string ends at a NUL byte, so a text with one would be cut off silently on its way to the kernel. */
export const text = z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL byte');

/** Terminal sizes are 16 bits wide in the kernel. */
export const TERMINAL_SIZE_MAX = 65_535;

/** Width or height of a terminal; 0 when unknown. */
export const terminalSize = z.number().int().min(0).max(TERMINAL_SIZE_MAX);

/**
 * A map with any keys, `__proto__` among them, which `z.record` would drop.
 * @param keys what each key must be
 */
export function mapOf<V extends z.ZodType>(values: V, keys: z.ZodType = text) {
  return z
    .custom<Record<string, unknown>>(isMap, {
      error: ({ input }) => `Invalid input: expected record, received ${kindOf(input)}`,
    })
    .transform((map, context) =>
      Object.fromEntries(
        Object.entries(map).map(([key, value]) => {
          tell(keys.safeParse(key), key, context);
          return [key, tell(values.safeParse(value), key, context) as z.output<V>] as const;
        }),
      ),
    );
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Passes the result of an entry on. Its issues get the entry's key in front of their paths. */
function tell<T>(result: z.ZodSafeParseResult<T>, key: string, context: z.RefinementCtx): T | undefined {
  for (const { message, path } of result.error?.issues ?? [])
    context.addIssue({ code: 'custom', message, path: [key, ...path] });
  return result.data;
}

/** A map of strings as sent. An empty text is kept: in merges it means "remove". LXD takes null as an empty text. */
export const rawStrings = mapOf(orElse(text, ''));

/** A map of strings that replaces another: keys with the value `""` are removed. */
export const strings = rawStrings.transform(withoutEmpty);

/** Config as sent: keys with the value `""` are removed later, after a check that there are such keys. */
export const config = rawStrings;

/** Devices as sent. Options with the value `""` are removed later, after a check that the type has them. */
export const devices = mapOf(rawStrings);

/** For merges: `""` and null both remove a key. */
export const stringChanges = mapOf(text.nullable()).transform((map) =>
  mapValues(map, (value) => (value === '' ? null : value)),
);

/** For merges: null removes a device, any other value replaces the device of that name. */
export const deviceChanges = mapOf(rawStrings.nullable());

/** The fields that are neither absent nor null. */
export function given<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
  return Object.fromEntries(fields) as { [K in keyof T]?: NonNullable<T[K]> };
}

function withoutEmpty(map: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== ''));
}

function mapValues<A, B>(map: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
