import { declare } from './libc.ts';

const setpriority = declare('int setpriority(int which, uint who, int nice)');

const PRIO_PROCESS = 0;
const THIS_THREAD = 0;

/** Sets how willingly the calling thread gives way to others, from -20 to 19; setpriority(2). False if it may not. */
export function setNice(nice: number): boolean {
  return setpriority(PRIO_PROCESS, THIS_THREAD, nice) === 0;
}
