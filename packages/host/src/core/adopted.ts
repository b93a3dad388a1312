import type { Config } from './entities.ts';
import { own, recordOf } from './records.ts';
import { matching } from './texts.ts';

/**
 * The server's own key that makes an instance an adopted one: some other runtime has started its processes, and
 * this is the init of its latest run.
 */
export const ADOPTED = 'volatile.adopted';

/** A process, named so that no later one can be taken for it, whatever its pid. */
export interface ProcessName {
  readonly pid: number;
  /** Clock ticks between the host's boot and the start of the process. */
  readonly startTime: string;
  /** Of the host. */
  readonly bootId: string;
}

/** `PID:START TIME:BOOT ID`. */
const NAME = /^(\d{1,7}):(\d{1,20}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A value of the key. */
export const checkAdopted = matching(NAME, 'pid:start time:boot id');

/** Whether the processes of an instance are some other runtime's. @param config its own, or expanded */
export function isAdopted(config: Config): boolean {
  return own(config, ADOPTED) !== undefined;
}

/** The init of an adopted instance's latest run; null when the instance is none. */
export function adoptedInit(config: Config): ProcessName | null {
  const [, pid, startTime, bootId] = NAME.exec(own(config, ADOPTED) ?? '') ?? [];
  return startTime && bootId ? { pid: Number(pid), startTime, bootId } : null;
}

/** The config with this process as the init of an adopted instance; with none, that of an instance of our own. */
export function withAdopted(config: Config, init: ProcessName | null): Config {
  const others = Object.entries(config).filter(([key]) => key !== ADOPTED);
  const entry = init ? [[ADOPTED, `${init.pid}:${init.startTime}:${init.bootId}`] as const] : [];
  return recordOf([...others, ...entry]);
}
