import { Adoptions } from '../containers/adoptions.ts';
import { describeContainer } from '../containers/describe.ts';
import { HookFolder } from '../containers/hook-folder.ts';
import type { HookRequest } from '../containers/hook-request.ts';
import { Removals } from '../containers/removals.ts';
import type { InstanceCases } from '../host/backend.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';

/** Where hooks leave their requests, and whether an instance goes with its container. */
interface Hooks {
  readonly path: string;
  readonly forgets: boolean;
}

/** Only root can leave a request. */
const ROOT = { username: 'root', protocol: 'unix', address: '@' } as const;

/**
 * Begins to take the requests of hooks. Callers in containers that were started without a daemon wait until
 * their instance is known.
 */
export function takeHooks(
  started: AsyncDisposableStack,
  context: RunNeeds & Needs<'adopter' | 'operations' | 'random'>,
  instances: Pick<InstanceCases, 'create'>,
  { path, forgets }: Hooks,
): void {
  const adoptions = new Adoptions(context, {
    create: (input) => instances.create(input, ROOT),
    describe: describeContainer,
  });
  const perform = (request: HookRequest) =>
    request.moment === 'start' ? adoptions.begin(request) : adoptions.end(request);
  const folder = started.adopt(new HookFolder(path, perform, context), (each) => each.stop());
  const removals = started.adopt(new Removals(context), (each) => each.stop());
  if (forgets) removals.begin();
  void context.running
    .whileStarting(() => folder.begin())
    .catch((error) => {
      context.log.error({ err: error }, 'the folder of hooks cannot be read');
    });
}
