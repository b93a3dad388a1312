import { CodedError } from '../base/coded-error.ts';
import type { Instance } from '../core/entities.ts';

/** Does work on one of several instances: an error names the instance that it comes from. */
export function withName<T>(instance: Pick<Instance, 'name'>, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw named(instance, error);
  }
}

/** An expected failure, with the name of the instance that it comes from; others unchanged. */
export function named({ name }: Pick<Instance, 'name'>, error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  const { code, status, message } = error;
  return new CodedError(code, status, `${message} (instance ${name})`, { cause: error });
}
