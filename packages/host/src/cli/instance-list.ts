import { isAdopted } from '../core/adopted.ts';
import type { InstanceFullJson } from '../wire/instance.ts';
import { parseColumns } from './list-columns.ts';
import { parseFilters } from './list-filters.ts';
import { isInFleet } from './location.ts';
import type { Session } from './session.ts';
import { type Format, printListing } from './tables.ts';
import { compareNames } from './text.ts';

/** The columns of LXD's client. */
export const COLUMNS = 'ns46tS';
/** Follows these in a fleet, as with LXD's client. */
export const LOCATION_COLUMN = 'L';
/** Follows these when another runtime runs one of the instances. */
export const RUNTIME_COLUMN = 'r';
export const FAST_COLUMNS = 'nsacPt';

/** The options of `porthole list`. */
export interface ListOptions {
  readonly columns?: string;
  readonly fast?: boolean;
  readonly format: Format;
}

/** Prints the instances that pass all filters. @throws UsageError for an invalid filter or column */
export async function listInstances(
  session: Session,
  filters: readonly string[],
  options: ListOptions,
): Promise<void> {
  const wanted = options.fast ? FAST_COLUMNS : options.columns;
  const stock = parseColumns(wanted ?? COLUMNS);
  const isDefault = wanted === undefined;
  const passes = parseFilters(filters);
  const live = stock.some((column) => column.live) || passes.live || options.format === 'json';
  const all = await session.client.get<readonly InstanceFullJson[]>(
    `/1.0/instances?recursion=${live ? 2 : 1}`,
  );
  const chosen = all.filter(passes.instance).sort((a, b) => compareNames(a.name, b.name));
  const location = isDefault && all.some(isInFleet) ? parseColumns(LOCATION_COLUMN) : [];
  const tells = isDefault && options.format !== 'csv' && chosen.some(isForeign);
  const columns = [...stock, ...location, ...(tells ? parseColumns(RUNTIME_COLUMN) : [])];
  await printListing(session, options.format, {
    headers: columns.map((column) => column.header),
    rows: chosen.map((instance) => columns.map((column) => column.cell(instance))),
    objects: chosen,
  });
}

/** Whether another runtime has started an instance. */
function isForeign({ config }: InstanceFullJson): boolean {
  return isAdopted(config);
}
