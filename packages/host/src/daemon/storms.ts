import type { Log } from '../base/log.ts';
import type { Settings } from '../config/settings.ts';
import type { NewProcesses } from '../core/new-processes.ts';
import { Storms } from '../instances/storms.ts';
import type { Runtime } from '../runtimes/contract/runtime.ts';

/** Passes what the fast lane finds out about new processes on to `Storms`, which needs a runtime. */
export interface StormWatch {
  /** For the fast lane; undefined if the settings leave instances in fork storms their weight. */
  readonly onNewProcesses: ((found: NewProcesses) => void) | undefined;
  /**
   * Begins to lower weights. Adopted instances keep theirs: they belong to another runtime.
   * @param main the runtime that runs instances
   */
  begin(started: AsyncDisposableStack, main: Runtime): void;
}

/** A watch that has not begun: reports change nothing yet. */
export function stormWatch({ 'storm-cpu-weight': percent }: Settings, log: Log): StormWatch {
  let storms: Storms | undefined;
  return {
    onNewProcesses: percent === 100 ? undefined : (found) => storms?.note(found),
    begin(started, { weights }) {
      if (!weights || percent === 100) return;
      const nowMs = () => performance.now();
      storms = started.adopt(new Storms({ weights, percent, log, nowMs }), (each) => each.stop());
    },
  };
}
