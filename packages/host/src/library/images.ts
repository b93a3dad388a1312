import { NEVER, timestamp } from '../base/clock.ts';
import { CodedError } from '../base/coded-error.ts';
import type { Alias, Image } from '../core/entities.ts';
import { findImage } from '../core/find-image.ts';
import { hostError } from '../core/host-errors.ts';
import { checkAliasName } from '../core/names.ts';
import type { ImageDirectory, StagedImage } from '../images/image-directory.ts';
import type { Upload } from '../images/upload.ts';
import type { Needs } from '../instances/needs.ts';
import type { Requestor } from '../model/events.ts';
import { KeyedQueue } from '../model/keyed-queue.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationHandle } from '../model/operations.ts';
import type { Precondition } from '../model/precondition.ts';
import type { ImageFields, ImageInfo, UploadOptions } from './requests.ts';

/** The use cases of operators for images and their aliases. */
export function imageCases(
  context: Needs<'clock' | 'model' | 'operations' | 'roots'>,
  directory: ImageDirectory,
) {
  const { model, operations } = context;
  // Keeps files and record of an image consistent, also if it is imported and deleted at the same time.
  const queues = new KeyedQueue<string>();
  const find = (fingerprint: string) => findImage(model.state, fingerprint);
  return {
    list: () => [...model.state.images.values()].map((image) => infoOf(context, image)),
    get: (fingerprint: string) => infoOf(context, find(fingerprint)),
    import: (upload: Upload, options: UploadOptions, by: Requestor) =>
      importImage({ context, directory, queues, by }, upload, options),
    update: (fingerprint: string, fields: ImageFields, by: Requestor, check?: Precondition<Image>) =>
      change(context, by, () => {
        const image = find(fingerprint);
        check?.(image);
        checkProfiles(context, image, fields.profiles);
        return { ...image, ...fields };
      }),
    setCached: (fingerprint: string, cached: boolean, by: Requestor) =>
      change(context, by, () => ({ ...find(fingerprint), cached })),
    delete(fingerprint: string, by: Requestor) {
      const image = find(fingerprint);
      return operations.run({
        description: 'Deleting image',
        resources: { images: [image.fingerprint] },
        work: () => deleteImage({ context, directory, queues, by }, image.fingerprint),
      });
    },
    ensure: (fingerprint: string) => directory.ensure(find(fingerprint)),
    export(fingerprint: string, by: Requestor) {
      const image = find(fingerprint);
      model.commit([], [lifecycle('image-retrieved', 'images', image.fingerprint, { by })]);
      return { image, paths: directory.paths(image) };
    },
    ...aliasCases(context),
  };
}

function infoOf({ model }: Needs<'model'>, image: Image): ImageInfo {
  const aliases = [...model.state.aliases.values()].filter((alias) => alias.target === image.fingerprint);
  return { image, aliases };
}

/** The image may name profiles that have since been deleted. That must not make other changes fail. */
function checkProfiles({ model }: Needs<'model'>, image: Image, names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw hostError('profile-duplicate');
  const missing = names.find((name) => !image.profiles.includes(name) && !model.state.profiles.has(name));
  if (missing !== undefined) throw hostError('image-profile-missing', missing);
}

function change({ model }: Needs<'model'>, by: Requestor, make: () => Image): Promise<void> {
  return model.change(() => {
    const image = make();
    const updated = lifecycle('image-updated', 'images', image.fingerprint, { by });
    return { changes: [{ kind: 'put-image', image }], events: [updated] };
  });
}

const UNKNOWN: ReadonlySet<string> = new Set(['fleet-outcome-unknown', 'fleet-not-applied']);

interface ImageWork {
  readonly context: Needs<'clock' | 'model' | 'operations' | 'roots'>;
  readonly directory: ImageDirectory;
  readonly queues: KeyedQueue<string>;
  readonly by: Requestor;
}

async function importImage(work: ImageWork, upload: Upload, options: UploadOptions): Promise<Operation> {
  const { context, directory } = work;
  const stored = Promise.withResolvers<void>();
  const operation = context.operations.run({
    description: 'Downloading image',
    mayCancel: true,
    work: async (handle) => {
      try {
        const staged = await receive(directory, upload, options, handle, stored.resolve);
        return await work.queues.run(staged.fingerprint, 'import', () => publish(work, staged, options));
      } finally {
        stored.resolve();
      }
    },
  });
  // The upload is the request's body: the request is answered when the body has been read or has failed.
  await stored.promise;
  return context.operations.get(operation.id);
}

const PERCENT = 100;

function receive(
  directory: ImageDirectory,
  upload: Upload,
  options: UploadOptions,
  handle: OperationHandle,
  onStored: () => void,
): Promise<StagedImage> {
  return directory.receive(upload, {
    fingerprint: options.fingerprint,
    signal: handle.signal,
    onBytes: (total) => {
      const done = options.size ? `${Math.floor((total / options.size) * PERCENT)}%` : `${total} bytes`;
      handle.report({ download_progress: `rootfs: ${done}` });
    },
    onStored,
    // The same key, since clients show one line for an operation.
    onChecked: (percent) => handle.report({ download_progress: `Check: ${percent}%` }),
  });
}

async function publish(
  { context, directory, by }: ImageWork,
  staged: StagedImage,
  options: UploadOptions,
): Promise<Record<string, unknown>> {
  const { model, clock } = context;
  const { fingerprint } = staged;
  if (model.state.images.has(fingerprint)) {
    await directory.discard(staged);
    throw hostError('image-exists');
  }
  const image = imageOf(staged, options, timestamp(clock));
  const created = lifecycle('image-created', 'images', fingerprint, { by, context: { type: 'container' } });
  try {
    await directory.publish(staged);
    await model.change(() => {
      if (model.state.images.has(fingerprint)) throw hostError('image-exists');
      return { changes: [{ kind: 'put-image', image }], events: [created] };
    });
  } catch (error) {
    if (!model.state.images.has(fingerprint) && !isUnknown(error)) await discardAll(directory, staged);
    throw error;
  }
  return { fingerprint, size: String(staged.size) };
}

/** Whether the record may come to be later: then it needs its files. */
function isUnknown(error: unknown): boolean {
  return error instanceof CodedError && UNKNOWN.has(error.code);
}

/** Removes staged and published files without a record: the next import of the image would fail. */
async function discardAll(directory: ImageDirectory, staged: StagedImage): Promise<void> {
  await directory.discard(staged);
  await directory.remove(staged.fingerprint);
}

function imageOf(staged: StagedImage, options: UploadOptions, now: string): Image {
  const { metadata } = staged;
  return {
    fingerprint: staged.fingerprint,
    architecture: metadata.architecture,
    size: staged.size,
    filename: staged.filename,
    public: options.public,
    cached: false,
    autoUpdate: false,
    properties: { ...metadata.properties, ...options.properties },
    profiles: options.profiles ?? ['default'],
    createdAt: metadata.createdAt,
    uploadedAt: now,
    lastUsedAt: NEVER,
    expiresAt: metadata.expiresAt,
    files: staged.files,
    ...(staged.templates.length > 0 ? { templates: staged.templates } : {}),
  };
}

function deleteImage({ context, directory, queues, by }: ImageWork, fingerprint: string): Promise<undefined> {
  const { model, roots } = context;
  return queues.run(fingerprint, 'delete', async () => {
    await model.change(() => {
      if (!model.state.images.has(fingerprint)) throw hostError('image-not-found');
      const aliases = [...model.state.aliases.values()].filter((alias) => alias.target === fingerprint);
      const changes = aliases.map(({ name }) => ({ kind: 'delete-alias', name }) as const);
      return {
        changes: [...changes, { kind: 'delete-image', fingerprint }],
        events: [lifecycle('image-deleted', 'images', fingerprint, { by })],
      };
    });
    await directory.remove(fingerprint);
    await roots.sweep((base) => model.needsRoot(base));
    return undefined;
  });
}

function aliasCases({ model }: Needs<'model'>) {
  const find = (name: string): Alias => {
    const alias = model.state.aliases.get(name);
    if (!alias) throw hostError('alias-not-found');
    return alias;
  };
  const full = (target: string) => findImage(model.state, target).fingerprint;
  const told = (action: string, name: string, by: Requestor, context?: Record<string, unknown>) =>
    lifecycle(action, 'images/aliases', name, { by, ...(context ? { context } : {}) });
  return {
    aliases: () => [...model.state.aliases.values()].sort((one, other) => (one.name < other.name ? -1 : 1)),
    alias: find,
    createAlias: (alias: Alias, by: Requestor) =>
      model.change(() => {
        checkAliasName(alias.name);
        if (model.state.aliases.has(alias.name)) throw hostError('alias-exists', alias.name);
        const stored = { ...alias, target: full(alias.target) };
        const created = told('image-alias-created', alias.name, by, { target: alias.target });
        return { changes: [{ kind: 'put-alias', alias: stored }], events: [created] };
      }),
    updateAlias: (
      name: string,
      { target, description }: Pick<Alias, 'target' | 'description'>,
      by: Requestor,
      check?: Precondition<Alias>,
    ) =>
      model.change(() => {
        const alias = find(name);
        check?.(alias);
        const stored = { name, description, target: full(target) };
        const updated = told('image-alias-updated', name, by, { target: stored.target });
        return { changes: [{ kind: 'put-alias', alias: stored }], events: [updated] };
      }),
    renameAlias: (name: string, to: string, by: Requestor) =>
      model.change(() => {
        const alias = find(name);
        checkAliasName(to);
        if (model.state.aliases.has(to)) throw hostError('alias-exists', to);
        return {
          changes: [
            { kind: 'delete-alias', name },
            { kind: 'put-alias', alias: { ...alias, name: to } },
          ],
          events: [told('image-alias-renamed', to, by, { old_name: name })],
        };
      }),
    deleteAlias: (name: string, by: Requestor) =>
      model.change(() => {
        find(name);
        const deleted = told('image-alias-deleted', name, by);
        return { changes: [{ kind: 'delete-alias', name }], events: [deleted] };
      }),
  };
}
