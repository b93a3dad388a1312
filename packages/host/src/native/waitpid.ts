import { declare } from './libc.ts';

/** waitpid(2); the status may be null. */
export const waitpid = declare('int waitpid(int pid, _Out_ void *status, int options)');

/** Option: do not wait. */
export const WNOHANG = 1;
