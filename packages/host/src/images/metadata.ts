import { parse } from 'yaml';
import { NEVER } from '../base/clock.ts';
import { messageOf } from '../base/coded-error.ts';
import { isTrue } from '../core/booleans.ts';
import { TEMPLATE_TRIGGERS } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { canonicalArchitecture } from './architectures.ts';
import type { TemplateRule } from './templates.ts';

/** The content of an image's metadata.yaml. */
export interface ImageMetadata {
  /** Canonical. */
  readonly architecture: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; `NEVER` when the image does not expire. */
  readonly expiresAt: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly templates: readonly TemplateRule[];
}

/** 9999-12-31T23:59:59Z: the last second that RFC 3339 can express. */
const SECONDS_MAX = 253_402_300_799;
const MS_PER_SECOND = 1000;

/** Uses of YAML aliases: metadata needs none, and a few of them can stand for billions of values. */
const ALIASES_MAX = 10;

/** Parses and checks the text of a metadata.yaml. @throws CodedError image-invalid, with LXD's texts */
export function parseMetadata(text: string): ImageMetadata {
  const values = record(parseYaml(text), 'metadata.yaml');
  const architecture = scalar(values['architecture']) ?? '';
  const canonical = canonicalArchitecture(architecture);
  const createdAt = seconds(values['creation_date'], 'creation_date');
  if (createdAt === 0) throw invalid('Missing creation date');
  if (!canonical) throw invalid(`Architecture isn't supported: ${architecture}`);
  return {
    architecture: canonical,
    createdAt: instant(createdAt),
    expiresAt: instant(seconds(values['expiry_date'], 'expiry_date')),
    properties: propertiesOf(values['properties']),
    templates: templatesOf(values['templates']),
  };
}

/** Scalars stay texts: the version 22.10 does not become the number 22.1. */
function parseYaml(text: string): unknown {
  try {
    return parse(text, { schema: 'failsafe', maxAliasCount: ALIASES_MAX, logLevel: 'error' });
  } catch (error) {
    throw invalid(messageOf(error));
  }
}

function propertiesOf(value: unknown): Record<string, string> {
  if (isMissing(value)) return {};
  const pairs = Object.entries(record(value, 'properties')).map(([key, of]) => {
    const text = isMissing(of) ? '' : scalar(of);
    if (text === undefined) throw invalid(`metadata.yaml: property "${key}" is not a text`);
    if (key === '' || /[\0-\x1f\x7f]/.test(key)) throw invalid('metadata.yaml: invalid property name');
    return [key, text] as const;
  });
  return Object.fromEntries(pairs);
}

function templatesOf(value: unknown): readonly TemplateRule[] {
  if (isMissing(value)) return [];
  return Object.entries(record(value, 'templates')).map(([path, of]) => {
    const rule = record(of, `template "${path}"`);
    const when = Array.isArray(rule['when']) ? rule['when'] : [rule['when']];
    return {
      path,
      file: scalar(rule['template']) ?? '',
      when: TEMPLATE_TRIGGERS.filter((trigger) => when.includes(trigger)),
      createOnly: isTrue(scalar(rule['create_only']), false),
      properties: propertiesOf(rule['properties']),
    };
  });
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  if (isMissing(value)) return {};
  throw invalid(`${what} is not a map`);
}

const isMissing = (value: unknown) => value === undefined || value === null || value === '' || value === '~';

const scalar = (value: unknown) => (typeof value === 'string' ? value : undefined);

function seconds(value: unknown, what: string): number {
  if (isMissing(value)) return 0;
  const text = scalar(value) ?? '';
  if (!/^[0-9]{1,12}$/.test(text) || Number(text) > SECONDS_MAX) {
    throw invalid(`metadata.yaml: ${what} is not a number of seconds`);
  }
  return Number(text);
}

function instant(unixSeconds: number): string {
  if (unixSeconds === 0) return NEVER;
  return new Date(unixSeconds * MS_PER_SECOND).toISOString().replace('.000Z', 'Z');
}

const invalid = (text: string) => hostError('image-invalid', text);
