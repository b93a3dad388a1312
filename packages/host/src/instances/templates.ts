import { Readable } from 'node:stream';
import { messageOf } from '../base/coded-error.ts';
import { isTrue } from '../core/booleans.ts';
import type { Instance } from '../core/entities.ts';
import type { Expanded } from '../core/expand.ts';
import { hostError } from '../core/host-errors.ts';
import { rootSizeOf } from '../core/root-size.ts';
import { templateTriggers } from '../core/volatile.ts';
import type { Runtime } from '../runtimes/contract/runtime.ts';
import { planFiles, type TemplateFile } from '../templates/plan.ts';
import type { Needs } from './needs.ts';

/** Read by most inits, which make it the host name. */
const HOSTNAME = '/etc/hostname';

/**
 * Writes the files that the templates of an instance's image make at this start. The trigger stays in the
 * instance's config until the start is stored, so a start that is cut off is made up for by the next one.
 * @param lower the folder of the unpacked image
 * @returns whether a template of the image is for /etc/hostname
 * @throws template-failed
 */
export async function applyTemplates(
  { roots, log }: Needs<'log' | 'roots'>,
  instance: Instance,
  { config, devices }: Expanded,
  { runtime, lower }: { readonly runtime: Runtime; readonly lower: string },
): Promise<boolean> {
  const templates = await roots.templates(instance);
  const namesHost = templates.some(({ path, unsupported }) => path === HOSTNAME && unsupported === null);
  if (templates.length === 0) return namesHost;
  const { id, name, architecture, ephemeral } = instance;
  const triggers = templateTriggers(instance.config);
  for (const { path, when, unsupported } of templates) {
    if (unsupported === null || !triggers.some((trigger) => when.includes(trigger))) continue;
    log.warn({ instanceId: id, path, reason: unsupported }, 'a template of the image is left out');
  }
  const privileged = isTrue(config['security.privileged'], false);
  try {
    const facts = { name, architecture, ephemeral, privileged, config, devices };
    const files = planFiles(templates, triggers, facts);
    if (files.length === 0) return namesHost;
    const target = { id, config, init: null, lower, rootSize: rootSizeOf(devices) };
    for (const reason of await writeFiles(runtime, target, files)) {
      log.warn({ instanceId: id, reason }, 'a template of the image is not applied');
    }
  } catch (error) {
    throw hostError('template-failed', messageOf(error));
  }
  return namesHost;
}

/** @returns the reasons why optional files were not written */
async function writeFiles(
  runtime: Runtime,
  target: Parameters<Runtime['files']>[0],
  files: readonly TemplateFile[],
): Promise<readonly string[]> {
  const input = Readable.from([Buffer.from(JSON.stringify(files))]);
  const { found, ended } = await runtime.files(target, { work: 'fill', path: '' }, input);
  try {
    return (await found).entries;
  } finally {
    // The instance must not start while its root is still mounted for this.
    await ended;
  }
}
