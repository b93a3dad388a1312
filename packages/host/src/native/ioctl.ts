import { declare } from './libc.ts';

/** ioctl(2) with a number. */
export const ioctl = declare('int ioctl(int fd, ulong request, ulong argument)');

/** The same with something in memory. */
export const ioctlWith = declare('int ioctl(int fd, ulong request, _Inout_ void *argument)');
