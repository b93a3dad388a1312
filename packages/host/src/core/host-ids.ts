/** Host ids of an instance's uid 0 and gid 0; both are 0 if it is privileged. */
export interface HostIds {
  readonly uid: number;
  readonly gid: number;
}
