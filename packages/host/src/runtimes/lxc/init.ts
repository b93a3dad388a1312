import { PinnedProcess } from '../../native/pinned-process.ts';
import { limitFileSize } from '../../native/rlimit.ts';
import { monitorPid } from './processes.ts';
import { initPid } from './tools.ts';

/**
 * Bytes of a run's log: every user of the host can make LXC's monitor write a line to it, by connecting to
 * its socket.
 */
const LOG_BYTES_MAX = 1024 * 1024;

/** The processes that a run depends on, held. */
export interface RunProcesses {
  readonly init: PinnedProcess;
  /** Its parent, which watches it for LXC. */
  readonly monitor: PinnedProcess;
}

/**
 * Takes hold of a running container's init and of its monitor; null when it does not run. LXC knows the init
 * only by its pid, and another process may have that pid by the time LXC answers. So LXC is asked again once
 * the process is held: if it gives the same pid and the process still lives, no other process had that pid
 * meanwhile.
 */
export async function pinInit(lxcPath: string, id: number): Promise<RunProcesses | null> {
  const pid = await initPid(lxcPath, id);
  const init = pid === null ? null : PinnedProcess.find(pid);
  if (!init) return null;
  const again = await initPid(lxcPath, id).catch((error) => {
    init.release();
    throw error;
  });
  const parent = monitorPid(init.pid);
  const monitor = parent === null ? null : PinnedProcess.find(parent);
  // A process whose parent dies gets another parent: the held one is the monitor if it is still the parent.
  const same = again === pid && monitor !== null && monitorPid(init.pid) === monitor.pid;
  if (same && init.isAlive()) {
    limitFileSize(monitor.pid, LOG_BYTES_MAX);
    return { init, monitor };
  }
  init.release();
  monitor?.release();
  return null;
}
