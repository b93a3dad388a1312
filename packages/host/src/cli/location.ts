/**
 * Whether an object is of a fleet: then its location is the name of a member. On a single host LXD and Porthole say
 * `none`.
 */
export function isInFleet({ location }: { readonly location?: string | undefined }): boolean {
  return location !== undefined && location !== 'none';
}
