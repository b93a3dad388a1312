import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Settings } from '../config/settings.ts';
import type { NewProcesses } from '../core/new-processes.ts';
import type { Limits } from '../http/connection-limits.ts';
import { Lane } from '../lane/lane.ts';
import { FileSender } from '../sender/file-sender.ts';

/** `on`, or why plain requests are answered like all others. */
export type FastLaneStatus = 'on' | 'off' | 'unsupported' | 'failed';

/** The fast lane as the daemon uses it. */
export interface FastLane {
  readonly lane: Lane | undefined;
  /** Sends images on a separate thread. */
  readonly sender: FileSender | undefined;
  /** Its current state. */
  readonly status: () => FastLaneStatus;
}

/**
 * Starts the fast lane if the settings want it and the kernel has what it needs: callers that are recognised
 * by pidfd. Without the fast lane everything works, too.
 */
export function openFastLane(parts: {
  readonly settings: Pick<Settings, 'fast-lane'>;
  readonly kernel: { readonly name: string };
  readonly limits: Limits;
  readonly log: Log;
  /** As in {@link Lane}. */
  readonly onNewProcesses?: ((found: NewProcesses) => void) | undefined;
}): FastLane {
  const { settings, kernel, limits, log, onNewProcesses } = parts;
  if (settings['fast-lane'] === 'off') return { lane: undefined, sender: undefined, status: () => 'off' };
  const sender = new FileSender(log);
  if (kernel.name !== 'pidfd') {
    log.info({ identification: kernel.name }, 'no fast lane: callers are not recognised by pidfd here');
    return { lane: undefined, sender, status: () => 'unsupported' };
  }
  try {
    const lane = new Lane(limits, log, onNewProcesses);
    return { lane, sender, status: () => (lane.failed ? 'failed' : 'on') };
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'no fast lane: it cannot be started');
    return { lane: undefined, sender, status: () => 'failed' };
  }
}
