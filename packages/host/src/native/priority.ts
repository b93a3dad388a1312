import { declare } from './libc.ts';

const setpriority = declare('int setpriority(int which, uint who, int nice)');

const PRIO_PROCESS = 0;
const THIS_THREAD = 0;

/** Sets the nice value of the calling thread, from -20 to 19; setpriority(2). False without permission. */
export function setNice(nice: number): boolean {
  return setpriority(PRIO_PROCESS, THIS_THREAD, nice) === 0;
}
