/** LXD's status codes, by the name that goes with each in answers. */
export const STATUS_CODES = {
  'Operation created': 100,
  Stopped: 102,
  Running: 103,
  Cancelling: 104,
  Pending: 105,
  Starting: 106,
  Stopping: 107,
  Frozen: 110,
  Error: 112,
  Ready: 113,
  Success: 200,
  Failure: 400,
  Cancelled: 401,
} as const;

/** The name of a status. */
export type StatusName = keyof typeof STATUS_CODES;

/** An operation is over from this code on. */
export const FINAL_STATUS_MIN = 200;
