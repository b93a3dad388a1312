import type { Config } from './entities.ts';
import { own, recordOf } from './records.ts';
import { matching } from './texts.ts';

/**
 * The key, set by the server only, that makes an instance an adopted one: another runtime has started its
 * processes. The value names the init of its latest run.
 */
export const ADOPTED = 'volatile.adopted';

/** Identifies a process: a later process with the same pid has another start time or boot id. */
export interface ProcessName {
  readonly pid: number;
  /** Clock ticks between the host's boot and the start of the process. */
  readonly startTime: string;
  /** The host's boot id. */
  readonly bootId: string;
}

/** `PID:START TIME:BOOT ID`. */
const NAME = /^(\d{1,7}):(\d{1,20}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export const checkAdopted = matching(NAME, 'pid:start time:boot id');

/** Whether another runtime has started the instance's processes. @param config its own or expanded config */
export function isAdopted(config: Config): boolean {
  return own(config, ADOPTED) !== undefined;
}

/** The init of an adopted instance's latest run; null if the instance is not adopted. */
export function adoptedInit(config: Config): ProcessName | null {
  const [, pid, startTime, bootId] = NAME.exec(own(config, ADOPTED) ?? '') ?? [];
  return startTime && bootId ? { pid: Number(pid), startTime, bootId } : null;
}

/** The config with this process as the init of an adopted instance; null makes it one that Porthole runs. */
export function withAdopted(config: Config, init: ProcessName | null): Config {
  const others = Object.entries(config).filter(([key]) => key !== ADOPTED);
  const entry = init ? [[ADOPTED, `${init.pid}:${init.startTime}:${init.bootId}`] as const] : [];
  return recordOf([...others, ...entry]);
}
