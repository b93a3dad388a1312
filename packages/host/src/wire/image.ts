import { z } from 'zod';
import { given, orElse, parse, rawStrings, stringChanges, strings, text } from './parse.ts';
import { wireError } from './wire-errors.ts';

/** An image as LXD's API shows it. */
export interface ImageJson {
  readonly fingerprint: string;
  readonly type: 'container';
  readonly architecture: string;
  readonly size: number;
  readonly filename: string;
  readonly public: boolean;
  readonly cached: boolean;
  readonly auto_update: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly aliases: readonly { readonly name: string; readonly description: string }[];
  readonly created_at: string;
  readonly uploaded_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  /** An addition of Porthole; absent if there are none. */
  readonly templates?: readonly TemplateJson[];
}

/** A template of an image: a file that is made in its instances. */
export interface TemplateJson {
  readonly path: string;
  readonly template: string;
  readonly when: readonly string[];
  readonly create_only: boolean;
  /** Why it is left out; empty if it is applied. */
  readonly unsupported: string;
}

/** An alias as LXD's API shows it. */
export interface AliasJson {
  readonly name: string;
  readonly target: string;
  readonly type: 'container';
  readonly description: string;
}

const timestamp = z.iso.datetime({ offset: true });

const fieldsSchema = z.object({
  public: orElse(z.boolean(), false),
  auto_update: orElse(z.boolean(), false),
  properties: orElse(strings, {}),
  profiles: z.array(text).nullish(),
  expires_at: timestamp.nullish(),
});

/** Reads the body of PUT /1.0/images/FINGERPRINT; profiles and expires_at stay as they are if not given. */
export function parseImageFields(body: unknown) {
  return parse(fieldsSchema, body);
}

const patchSchema = z.object({
  public: z.boolean().nullish(),
  auto_update: z.boolean().nullish(),
  properties: stringChanges.nullish(),
  profiles: z.array(text).nullish(),
  expires_at: timestamp.nullish(),
  cached: z.boolean().nullish(),
});

/** Reads the body of PATCH /1.0/images/FINGERPRINT. `cached` is a Porthole addition. */
export function parseImagePatch(body: unknown) {
  return given(parse(patchSchema, body));
}

const aliasSchema = z.object({
  name: orElse(text, ''),
  target: orElse(text, ''),
  type: orElse(z.string(), ''),
  description: orElse(text, ''),
});

/** Reads the body of POST /1.0/images/aliases. */
export function parseNewAlias(body: unknown) {
  const { type, ...alias } = parse(aliasSchema, body);
  if (type !== '' && type !== 'container') {
    throw wireError('image-type', type);
  }
  if (!alias.name || !alias.target) throw wireError('alias-incomplete');
  return alias;
}

/** Reads the body of PUT and PATCH /1.0/images/aliases/NAME. @returns only the fields that are given */
export function parseAliasPatch(body: unknown) {
  return given(parse(z.object({ target: text.nullish(), description: text.nullish() }), body));
}

/** The headers that describe an uploaded image. */
export interface UploadHeaders {
  readonly filename: string;
  readonly public: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly profiles: readonly string[] | null;
  /** The expected fingerprint; null if not given. */
  readonly fingerprint: string | null;
  /** Content-Length in bytes; null if not given. */
  readonly size: number | null;
}

const HEADER_TRUE = new Set(['true', '1', 'yes', 'on']);

/** Reads the headers of POST /1.0/images; header names in lower case. @throws CodedError 400 */
export function parseUploadHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): UploadHeaders {
  const header = (name: string) => String(headers[name] ?? '');
  const profiles = new URLSearchParams(header('x-lxd-profiles')).getAll('profile');
  return {
    filename: baseName(header('x-lxd-filename')),
    public: HEADER_TRUE.has(header('x-lxd-public').toLowerCase()),
    properties: parse(z.object({ 'X-LXD-properties': rawStrings }), {
      'X-LXD-properties': Object.fromEntries(new URLSearchParams(header('x-lxd-properties'))),
    })['X-LXD-properties'],
    profiles: profiles.length > 0 ? profiles : null,
    fingerprint: header('x-lxd-fingerprint') || null,
    size: headers['content-length'] === undefined ? null : Number(header('content-length')),
  };
}

/** The last part of a path: a file name from a client must not lead into another folder. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
