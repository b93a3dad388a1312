import { z } from 'zod';
import { config, deviceChanges, devices, given, orElse, parse, text } from './parse.ts';

/** A profile as LXD's API shows it. */
export interface ProfileJson {
  readonly name: string;
  readonly description: string;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly used_by: readonly string[];
}

const fieldsSchema = z.object({
  description: orElse(text, ''),
  config: orElse(config, {}),
  devices: orElse(devices, {}),
});

/** Reads the body of POST /1.0/profiles. An absent name is `""`. */
export function parseNewProfile(body: unknown) {
  return parse(fieldsSchema.extend({ name: orElse(text, '') }), body);
}

/** Reads the body of PUT /1.0/profiles/NAME: a field that is not given is empty. */
export function parseProfileFields(body: unknown) {
  return parse(fieldsSchema, body);
}

const patchSchema = z.object({
  description: text.nullish(),
  config: config.nullish(),
  devices: deviceChanges.nullish(),
});

/** Reads the body of PATCH /1.0/profiles/NAME. @returns only the fields that are given */
export function parseProfilePatch(body: unknown) {
  return given(parse(patchSchema, body));
}

/** Reads the body of a rename of a profile or an alias: `{"name": "new"}`. @returns the new name */
export function parseRename(body: unknown): string {
  return parse(z.object({ name: orElse(text, '') }), body).name;
}
