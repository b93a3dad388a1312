/**
 * New processes that connect to the guest API in a second, of one instance, from which on this is a fork storm. A loop
 * that runs a program for each request makes a few hundred on one core.
 */
export const STORM_PER_SECOND = 2000;

/** What was found out about callers of the guest API in a short time in which many of them were new processes. */
export interface NewProcesses {
  /** Connections of all callers in this time, per second. */
  readonly connectionsPerSecond: number;
  /** How many of these connections were looked at. */
  readonly looked: number;
  /**
   * How many of those came from a process that had not been seen before, by the id of its cgroup in the unified
   * hierarchy. Other processes, and cgroups that the kernel does not tell, are not in it.
   */
  readonly byCgroup: ReadonlyMap<bigint, number>;
}
