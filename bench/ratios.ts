import { FIGURES, type FigureKey, type Part } from './figures.ts';
import type { Results } from './frame/results.ts';
import { percentile, quotients, type Summary, summarize } from './frame/stats.ts';

interface Ratio {
  readonly figure: FigureKey;
  readonly column: string;
  /**
   * The column of the same figure that the values are divided by, round by round. `middle` divides by the
   * median of their own rounds, which shows the spread. Absent: the values themselves.
   */
  readonly over?: string;
  /** The goal for the median; `within`: between the smallest and the largest of another ratio. */
  readonly goal?: Goal;
}

type Goal =
  | { readonly atLeast: number }
  | { readonly atMost: number }
  | { readonly below: string }
  | { readonly within: string };

/** The entries of `ratios` in the JSON file, by their keys. */
const RATIOS = {
  keepalive_vs_nginx: {
    figure: 'keepalive-16-key',
    column: 'porthole',
    over: 'nginx',
    goal: { atLeast: 0.85 },
  },
  keepalive_vs_nginx_tuned: { figure: 'keepalive-16-key', column: 'porthole', over: 'nginx tuned' },
  keepalive_vs_lxd: { figure: 'keepalive-16-key', column: 'porthole', over: 'lxd', goal: { atLeast: 100 } },
  keepalive_vs_node_http: { figure: 'keepalive-16-key', column: 'porthole', over: 'node:http' },
  churn_vs_nginx: { figure: 'churn-key', column: 'porthole', over: 'nginx', goal: { atLeast: 0.75 } },
  churn_vs_nginx_tuned: { figure: 'churn-key', column: 'porthole', over: 'nginx tuned' },
  churn_vs_lxd: { figure: 'churn-key', column: 'porthole', over: 'lxd', goal: { atLeast: 100 } },
  churn_vs_node_http: { figure: 'churn-key', column: 'porthole', over: 'node:http' },
  export_vs_nginx: { figure: 'export-8', column: 'porthole', over: 'nginx', goal: { atLeast: 0.85 } },
  export_vs_nginx_tuned: { figure: 'export-8', column: 'porthole', over: 'nginx tuned' },
  export_one_vs_nginx: { figure: 'export-1', column: 'porthole', over: 'nginx', goal: { atLeast: 0.85 } },
  export_vs_lxd: { figure: 'export-8', column: 'porthole', over: 'lxd' },
  event_vs_lxd: { figure: 'event-median', column: 'porthole', over: 'lxd' },
  event_p99_ms_5000: { figure: 'listeners-p99', column: '5000', goal: { atMost: 5 } },
  stopped_listener_median_ratio: {
    figure: 'stopped-median',
    column: 'one stopped',
    over: 'all read',
    goal: { within: 'stopped_listener_noise_ratio' },
  },
  stopped_listener_noise_ratio: { figure: 'stopped-median', column: 'all read', over: 'middle' },
  stopped_listener_memory_kib: {
    figure: 'stopped-cost',
    column: 'one stopped',
    goal: { below: 'stopped_listener_bound_kib' },
  },
  stopped_listener_bound_kib: { figure: 'stopped-bound', column: 'one stopped' },
  fleet_key_median_ms: { figure: 'fleet-key-median', column: 'fleet', goal: { atMost: 5 } },
  fleet_key_p99_ms: { figure: 'fleet-key-p99', column: 'fleet', goal: { atMost: 25 } },
  fleet_profile_median_ms: { figure: 'fleet-profile-median', column: 'fleet', goal: { atMost: 5 } },
  fleet_profile_p99_ms: { figure: 'fleet-profile-p99', column: 'fleet', goal: { atMost: 25 } },
  fleet_keepalive: { figure: 'fleet-keepalive', column: 'fleet', over: 'single', goal: { atLeast: 0.98 } },
  fleet_churn: { figure: 'fleet-churn', column: 'fleet', over: 'single', goal: { atLeast: 0.98 } },
  fleet_lost: { figure: 'fleet-lost', column: 'fleet', goal: { atMost: 0 } },
  fleet_doubled: { figure: 'fleet-doubled', column: 'fleet', goal: { atMost: 0 } },
  fleet_memory: { figure: 'fleet-memory', column: 'fleet', over: 'single' },
  idle_connection_kib: { figure: 'memory-connection', column: 'porthole', goal: { atMost: 8 } },
  listener_kib: { figure: 'memory-listener', column: 'porthole', goal: { atMost: 20 } },
  instance_kib: { figure: 'memory-instance', column: 'porthole' },
  growth_keepalive: { figure: 'growth-keepalive', column: '5000', over: '10', goal: { atLeast: 0.9 } },
  growth_churn: { figure: 'growth-churn', column: '5000', over: '10', goal: { atLeast: 0.9 } },
  start_5000_s: { figure: 'start-up', column: '5000', goal: { atMost: 2 } },
  crowd_edit_10000_s: { figure: 'crowd-edit', column: '10000', goal: { atMost: 1.5 } },
  crowd_edit_10000_p99_ms: { figure: 'crowd-edit-p99', column: '10000', goal: { atMost: 50 } },
  crowd_edit_10000_most_ms: { figure: 'crowd-edit-most', column: '10000', goal: { atMost: 50 } },
  crowd_list_10000_s: { figure: 'crowd-list', column: '10000', goal: { atMost: 1.5 } },
  crowd_start_10000_s: { figure: 'crowd-start', column: '10000', goal: { atMost: 2.5 } },
  crowd_edit_growth: { figure: 'crowd-edit', column: '10000', over: '1000', goal: { atMost: 10 } },
  crowd_list_growth: { figure: 'crowd-list', column: '10000', over: '1000', goal: { atMost: 10 } },
  crowd_start_growth: { figure: 'crowd-start', column: '10000', over: '1000', goal: { atMost: 10 } },
  containers_list_300_s: { figure: 'containers-list', column: '300', goal: { atMost: 1 } },
  containers_restart_300_s: { figure: 'containers-restart', column: '300', goal: { atMost: 3 } },
  containers_autostart_100_s: { figure: 'containers-autostart', column: '300', goal: { atMost: 12 } },
  list_vs_lxc: { figure: 'command', column: 'porthole', over: 'lxc', goal: { atMost: 2.5 } },
  list_vs_node: { figure: 'command', column: 'porthole', over: 'node' },
  node_vs_lxc: { figure: 'command', column: 'node', over: 'lxc' },
  start_empty_s: { figure: 'start-empty', column: 'porthole', goal: { atMost: 0.35 } },
  rest_vs_lxd: { figure: 'rest', column: 'porthole', over: 'lxd', goal: { atMost: 1 } },
  rest_node_vs_lxd: { figure: 'rest', column: 'node', over: 'lxd' },
  rest_5000_more_mib: { figure: 'rest-many', column: '5000', goal: { atMost: 60 } },
  start_killed_60_s: { figure: 'killed-start', column: '60', goal: { atMost: 1.5 } },
  hang_up_60_s: { figure: 'hang-up', column: '60', goal: { atMost: 1.5 } },
  list_first_60_s: { figure: 'list-first', column: '60', goal: { atMost: 0.5 } },
  list_next_60_s: { figure: 'list-next', column: '60', goal: { atMost: 0.5 } },
  hook_adds_ms: { figure: 'hook-adds', column: 'porthole', goal: { atMost: 60 } },
  launch_sized: { figure: 'launch', column: 'porthole sized', over: 'porthole', goal: { atMost: 1.5 } },
  launch_vs_lxd: { figure: 'launch', column: 'porthole', over: 'lxd' },
  launch_vs_lxd_btrfs: { figure: 'launch', column: 'porthole', over: 'lxd btrfs' },
  delete_vs_lxd: { figure: 'delete', column: 'porthole', over: 'lxd' },
  delete_vs_lxd_btrfs: { figure: 'delete', column: 'porthole', over: 'lxd btrfs' },
} as const satisfies Record<string, Ratio>;

/** A measured ratio; null when it was not measured, for example because a peer is missing. */
export type FoundRatio = (Summary & { readonly rounds: number; readonly holds?: boolean }) | null;

/** All ratios of a run. */
export function ratiosOf(results: Results): Record<string, FoundRatio> {
  const all = Object.entries<Ratio>(RATIOS);
  return Object.fromEntries(all.map(([key, ratio]) => [key, found(results, ratio)]));
}

function found(results: Results, { figure, column, over, goal }: Ratio): FoundRatio {
  const values = results.of(figure, column);
  const each = over === undefined ? values : quotients(values, divisors(results, figure, column, over));
  const summary = summarize(each);
  if (!summary) return null;
  return {
    ...summary,
    rounds: each.length,
    ...(goal ? { holds: holds(results, summary.median, goal) } : {}),
  };
}

function divisors(results: Results, figure: FigureKey, column: string, over: string): readonly number[] {
  if (over !== 'middle') return results.of(figure, over);
  const values = results.of(figure, column);
  return values.map(() => percentile(values, 50));
}

function holds(results: Results, median: number, goal: Goal): boolean {
  if ('atLeast' in goal) return median >= goal.atLeast;
  if ('atMost' in goal) return median <= goal.atMost;
  const other = found(results, ratio('below' in goal ? goal.below : goal.within));
  if (!other) return false;
  return 'below' in goal ? median < other.median : median >= other.min && median <= other.max;
}

function ratio(key: string): Ratio {
  return (RATIOS as Readonly<Record<string, Ratio>>)[key] as Ratio;
}

/** The part of the benchmark that a ratio belongs to. */
export function partOf(key: string): Part {
  return FIGURES[ratio(key).figure].part;
}

/** The goal of a ratio, in words; empty when it has none. */
export function goalText(key: string): string {
  const goal = ratio(key)?.goal;
  if (!goal) return '';
  if ('atLeast' in goal) return `>= ${goal.atLeast}`;
  if ('atMost' in goal) return `<= ${goal.atMost}`;
  return 'below' in goal ? `< ${goal.below}` : `within ${goal.within}`;
}
