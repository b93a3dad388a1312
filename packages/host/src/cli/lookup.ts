import { ApiError, hasStatus } from '../client/client-errors.ts';
import type { HostClient } from '../client/host-client.ts';
import { path } from '../client/host-client.ts';
import type { AliasJson, ImageJson } from '../wire/image.ts';

const NOT_FOUND = 404;

/** Finds an image by alias, else by its fingerprint or the beginning of it. @throws ApiError with a hint */
export async function findImage(client: HostClient, name: string): Promise<ImageJson> {
  const target = (await findAlias(client, name))?.target ?? name;
  try {
    return await client.get<ImageJson>(path`/1.0/images/${target}`);
  } catch (error) {
    if (!hasStatus(error, NOT_FOUND)) throw error;
    const hint = name.includes(':')
      ? 'Porthole downloads no images: see `porthole image import` and `porthole image build`'
      : 'See `porthole image list`, or make one: `porthole image build busybox`';
    throw new ApiError(NOT_FOUND, `${error.message}: "${name}". ${hint}`);
  }
}

/** The alias of that name, if there is one. */
export async function findAlias(client: HostClient, name: string): Promise<AliasJson | undefined> {
  try {
    return await client.get<AliasJson>(path`/1.0/images/aliases/${name}`);
  } catch (error) {
    if (hasStatus(error, NOT_FOUND)) return undefined;
    throw error;
  }
}
