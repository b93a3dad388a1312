/** Host ids of an instance's uid 0 and gid 0; both are 0 if it is privileged. */
export interface HostIds {
  readonly uid: number;
  readonly gid: number;
}

/** A container gets this many ids, the default of LXC; one without a user namespace has all. */
export const IDS_PER_INSTANCE = 65_536;
