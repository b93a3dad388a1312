import { z } from 'zod';

/**
 * The value with the names of fields as the schema has them: LXD takes them in any case. If a field is given
 * twice, the last one that is not null counts. Keys of maps, such as config, stay as they are.
 */
export function nameFields(schema: z.core.$ZodType, value: unknown): unknown {
  const fields = fieldsOf(schema);
  if (!fields || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const named = new Map<string, unknown>();
  for (const [given, field] of Object.entries(value)) {
    const name = names.get(given.toLowerCase());
    if (name === undefined) named.set(given, field);
    else if (field !== null || !named.has(name)) named.set(name, nameFields(fields[name]!, field));
  }
  return Object.fromEntries(named);
}

/** The fields of an object, also of one that may be absent or gets a default; undefined: it is no object. */
function fieldsOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  if (schema instanceof z.ZodObject) return schema.shape;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return fieldsOf(schema.unwrap());
  if (schema instanceof z.ZodPipe) return fieldsOf(schema.in);
  return undefined;
}
