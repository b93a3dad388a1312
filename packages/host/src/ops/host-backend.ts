import type { ImageDirectory } from '../images/image-directory.ts';
import type { HostBackend, ServerFacts } from './api.ts';
import type { Context } from './context.ts';
import { imageCases } from './images.ts';
import { instanceCases } from './instances/cases.ts';
import { fileCases } from './instances/files.ts';
import { lifecycle } from './lifecycle.ts';
import { profileCases } from './profiles.ts';

/** All that the host API can ask of the daemon. */
export function hostBackend(context: Context, images: ImageDirectory, server: ServerFacts): HostBackend {
  const { operations, hub, model } = context;
  return {
    server,
    instances: instanceCases(context),
    files: fileCases(context),
    profiles: profileCases(context),
    images: imageCases(context, images),
    operations: {
      list: () => operations.list(),
      get: (id) => operations.get(id),
      cancel(id, by) {
        operations.cancel(id);
        const cancelled = lifecycle('operation-cancelled', 'operations', id, { by });
        model.commit([], [cancelled]);
      },
      wait: (id, timeoutSeconds) => operations.wait(id, timeoutSeconds),
    },
    subscribe: (listener) => hub.onHost(listener),
  };
}
