import { declare } from './libc.ts';

/** ioctl(2) with a number as argument. */
export const ioctl = declare('int ioctl(int fd, ulong request, ulong argument)');

/** ioctl(2) with a buffer as argument. */
export const ioctlWith = declare('int ioctl(int fd, ulong request, _Inout_ void *argument)');
