import type { Change, Instance } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { Agreed } from '../../model/agreement.ts';
import type { EventDraft } from '../../model/event-draft.ts';
import type { WritableModel } from '../write-groups.ts';

/** Config of an instance that may write keys of its own. */
export const ALLOWED = { 'security.devlxd.guest_config': 'true' };

/** An instance as the store has it. */
export function instanceOf(id: number, config: Instance['config'] = ALLOWED): Instance {
  const never = '1970-01-01T00:00:00Z';
  const texts = {
    name: `c${id}`,
    architecture: 'x86_64',
    description: '',
    createdAt: never,
    lastStartedAt: never,
  };
  return { id, ...texts, ephemeral: false, profiles: [], config, devices: {} };
}

/** A model of instances only, which records its commits and can refuse them. */
export class FakeModel implements WritableModel {
  readonly instances = new Map<number, Instance>();
  readonly commits: { changes: readonly Change[]; told: readonly EventDraft[] }[] = [];
  /** Returns the error of a commit that is to fail. */
  refuse: (changes: readonly Change[]) => Error | undefined = () => undefined;

  constructor(count: number) {
    for (let id = 1; id <= count; id++) this.instances.set(id, instanceOf(id));
  }

  current(id: number): Instance {
    const instance = this.instances.get(id);
    if (!instance) throw hostError('instance-not-found');
    return instance;
  }

  async change(make: () => Agreed): Promise<void> {
    const { changes, events = [] } = make();
    if (changes.length > 0 || events.length > 0) this.commit(changes, events);
  }

  commit(changes: readonly Change[], told: readonly EventDraft[]): void {
    const error = this.refuse(changes);
    if (error) throw error;
    this.commits.push({ changes, told });
    for (const change of changes) {
      if (change.kind === 'put-instance') this.instances.set(change.instance.id, change.instance);
    }
  }
}
