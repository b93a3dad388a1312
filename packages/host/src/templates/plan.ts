import type { Config, Devices, ImageTemplate, TemplateTrigger } from '../core/entities.ts';
import { type Node, parseTemplate } from './parse.ts';
import { newBudget, render } from './render.ts';
import { newParts, type Parts, TemplateError } from './template-error.ts';
import { mapOf, type ValueMap } from './values.ts';

/** What templates can read of an instance. */
export interface TemplateFacts {
  readonly name: string;
  readonly architecture: string;
  readonly ephemeral: boolean;
  readonly privileged: boolean;
  /** Expanded. */
  readonly config: Config;
  /** Expanded. */
  readonly devices: Devices;
}

/** A file that a template makes. */
export interface TemplateFile {
  readonly path: string;
  readonly text: string;
  /** A file that is there stays as it is. */
  readonly createOnly: boolean;
  /**
   * Whether the start continues without this file. No guest has run before the templates of `create`. Later a guest can
   * have filled the disk, or made a directory at the path. That must not keep the instance from starting.
   */
  readonly mayFail: boolean;
}

/** The longest path that Linux takes. */
const PATH_MAX = 4096;

/** Why a template cannot be applied; null if it can. @param parts shared by all templates of an image */
export function whyUnsupported(
  { path, text }: Pick<ImageTemplate, 'path' | 'text'>,
  parts: Parts = newParts(),
): string | null {
  if (path.length >= PATH_MAX || /[\0-\x1f\x7f]/.test(path) || path.endsWith('/') || path === '') {
    return 'its path is not that of a file';
  }
  try {
    parseTemplate(text, parts);
    return null;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

/**
 * The files that the templates of some triggers make, in the order in which they are written: one path can be
 * there for each trigger. Templates that are not supported are left out.
 * @throws TemplateError that begins with the path of the template
 */
export function planFiles(
  templates: readonly ImageTemplate[],
  triggers: readonly TemplateTrigger[],
  facts: TemplateFacts,
): readonly TemplateFile[] {
  const budget = newBudget();
  const common = variablesOf(facts);
  const parsed = parsedOnce();
  return triggers.flatMap((trigger) => {
    const due = templates.filter(({ when, unsupported }) => unsupported === null && when.includes(trigger));
    return due.map((template) => {
      const { path, createOnly, properties } = template;
      const own = mapOf({ trigger, path, properties: mapOf(properties) });
      try {
        const made = render(parsed(template), new Map([...common, ...own]), budget);
        return { path, createOnly, mayFail: trigger !== 'create', text: made };
      } catch (error) {
        throw error instanceof TemplateError ? new TemplateError(`${path}: ${error.message}`) : error;
      }
    });
  });
}

/** Parses the templates of an image, each once. */
function parsedOnce(): (template: ImageTemplate) => readonly Node[] {
  const parts = newParts();
  const known = new Map<ImageTemplate, readonly Node[]>();
  return (template) => {
    const nodes = known.get(template) ?? parseTemplate(template.text, parts);
    known.set(template, nodes);
    return nodes;
  };
}

function variablesOf({
  name,
  architecture,
  ephemeral,
  privileged,
  config,
  devices,
}: TemplateFacts): ValueMap {
  const instance = mapOf({
    name,
    architecture,
    ephemeral: String(ephemeral),
    privileged: String(privileged),
    type: 'container',
  });
  const deviceMaps = Object.entries(devices).map(([device, options]) => [device, mapOf(options)] as const);
  return mapOf({
    container: instance,
    instance,
    config: mapOf(config),
    devices: mapOf(Object.fromEntries(deviceMaps)),
  });
}
