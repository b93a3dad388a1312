/** The largest user or group id of Linux: 2^32-1 means "no id", and "unchanged" to chown(2). */
export const ID_MAX = 2 ** 32 - 2;
