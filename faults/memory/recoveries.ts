import type { Heart } from '../../packages/host/src/instances/testing/heart.ts';
import { telling } from '../../packages/host/src/instances/testing/test-store.ts';
import type { Scenario } from './scenario.ts';
import { WORK } from './scenarios.ts';

/** A start of a daemon to try: the work that the last daemon had begun, and where it was interrupted. */
interface CutOff {
  readonly work: string;
  /** The last daemon was killed after this call of the runtime, of roots or of images. */
  readonly after?: string;
  /** The last daemon was killed before the commit with this event. */
  readonly before?: string;
}

const CUT_OFF: readonly CutOff[] = [
  { work: 'launch', after: 'create' },
  { work: 'launch', after: 'start' },
  { work: 'start', before: 'instance-started' },
  { work: 'stop', before: 'instance-shutdown' },
  { work: 'restart', after: 'create' },
  { work: 'restart', before: 'instance-restarted' },
  { work: 'reboot from inside', after: 'create' },
  { work: 'stop of an ephemeral instance', before: 'instance-deleted' },
  { work: 'device change', after: 'attach' },
  { work: 'device change', after: 'detach' },
  { work: 'device change', before: 'instance-updated' },
  { work: 'profile edit', before: 'profile-updated' },
  { work: 'change of the limits of an interface', before: 'instance-updated' },
  { work: 'import', after: 'publish' },
  { work: 'delete of an image', before: 'image-deleted' },
  { work: 'adoption', before: 'instance-started' },
  { work: 'end of an adopted instance', before: 'instance-shutdown' },
];

/** Kills a daemon in the middle of its work. */
async function cutOff(heart: Heart, scenario: Scenario, { after, before }: CutOff): Promise<void> {
  await scenario.prepare(heart);
  const held = after === undefined ? null : heart.machine.faults.hold(after, { when: 'after' });
  if (before !== undefined) heart.store.dieAt('before', telling(before));
  const work = scenario.act!(heart, () => () => {});
  work.catch(() => {});
  await (held?.reached ?? heart.life.ended);
  heart.life.end();
}

/** All such starts. */
export const RECOVERIES: readonly Scenario[] = CUT_OFF.flatMap((cut) =>
  WORK.filter(({ name }) => name === cut.work).map((scenario) => {
    const { state, from, to, between = [], refused = [] } = scenario;
    const where = cut.after === undefined ? `before ${cut.before}` : `after ${cut.after}`;
    return {
      name: `recovery of ${cut.work}, cut off ${where}`,
      prepare: (heart: Heart) => cutOff(heart, scenario, cut),
      ...{ state, from, to },
      settles: [from, to, ...between, ...refused],
    };
  }),
);
