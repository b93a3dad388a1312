import { Quota } from '../base/quota.ts';
import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { rootSizeOf } from '../core/root-size.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { FoundFile } from '../runtimes/contract/files.ts';
import type { FileRequest, FileWork, Runtime } from '../runtimes/contract/runtime.ts';
import type { Needs } from './needs.ts';
import type { NewFile } from './requests.ts';

/** File transfers with one instance at a time: each holds a process until the instance answers. */
const TRANSFERS_MAX = 8;

/** The use cases of operators for files of instances. */
export function fileCases(context: Needs<'model' | 'roots' | 'queue' | 'running' | 'runtimeOf'>) {
  const { model } = context;
  const transfers = new Quota(TRANSFERS_MAX);
  const perform = async (name: string, request: FileRequest, content: Content, told: string | null) => {
    const instance = model.instance(name);
    const found = await counted(transfers, instance.id, () => reach(context, instance, request, content));
    if (told) {
      const extra = { context: { path: request.path } };
      model.commit([], [lifecycle(`instance-file-${told}`, 'instances', name, extra)]);
    }
    return found;
  };
  return {
    read: (name: string, path: string) => perform(name, { work: 'read', path }, null, 'retrieved'),
    stat: (name: string, path: string) => perform(name, { work: 'stat', path }, null, null),
    async write(name: string, path: string, { type, content, ...rest }: NewFile) {
      await perform(name, { work: type, path, ...rest }, content, 'pushed');
    },
    async delete(name: string, path: string) {
      await perform(name, { work: 'remove', path }, null, 'deleted');
    },
  };
}

type Content = Parameters<Runtime['files']>[2];
type Started = { readonly found: Promise<FoundFile>; readonly ended: Promise<void> };

async function counted(transfers: Quota, id: number, start: () => Started): Promise<FoundFile> {
  if (!transfers.take(id)) throw hostError('too-many-transfers');
  const { found, ended } = start();
  void ended.then(() => transfers.give(id));
  return found;
}

/**
 * Starts work on a file of an instance. In a stopped instance the work goes through the queue: the instance
 * must not start while its root is mounted for the work.
 */
function reach(
  context: Needs<'model' | 'roots' | 'queue' | 'running' | 'runtimeOf'>,
  { id }: Instance,
  request: FileRequest,
  content: Content,
): Started {
  const found = Promise.withResolvers<FoundFile>();
  const work = async (): Promise<void> => {
    try {
      const { found: later, ended } = await open(context, id, request, content);
      found.resolve(later);
      await ended;
    } catch (error) {
      found.reject(error);
    }
  };
  const ended = context.running.has(id) ? work() : context.queue.run(id, 'file', work);
  return { found: found.promise, ended };
}

async function open(
  { model, runtimeOf, running, roots }: Needs<'model' | 'roots' | 'running' | 'runtimeOf'>,
  id: number,
  request: FileRequest,
  content: Content,
): Promise<FileWork> {
  const run = running.get(id);
  const instance = model.current(id);
  const expanded = model.expanded(instance);
  const config = run?.config ?? expanded.config;
  const runtime = runtimeOf(config);
  runtime.checkAction('files', instance.config);
  const image = (fingerprint: string) => model.state.images.get(fingerprint);
  const lower = run ? '' : await roots.ensure(instance, runtime.hostIds(config), image, () => {});
  const rootSize = rootSizeOf(expanded.devices);
  return runtime.files({ id, config, init: run?.handle.init ?? null, lower, rootSize }, request, content);
}
