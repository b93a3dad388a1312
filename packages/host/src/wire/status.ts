/** LXD's status codes, by their names in answers. */
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

/** An operation has ended if its code is at least this. */
export const FINAL_STATUS_MIN = 200;
