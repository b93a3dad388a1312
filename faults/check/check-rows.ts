import { type InstanceRow, powerOf, type Rows } from './rows.ts';

/** What is wrong within the database itself, in sentences. After the start of a daemon, nothing may be half done. */
export function checkRows(rows: Rows): string[] {
  const { instances, images, aliases, additions, keptFolders, given, damage } = rows;
  const last = Math.max(0, ...instances.map(({ id }) => id));
  return [
    ...damage.map((text) => `the database is damaged: ${text}`),
    ...doubles(instances.map(({ name }) => name)).map((name) => `two instances are called ${name}`),
    ...instances.flatMap((instance) => checkInstance(rows, instance)),
    ...aliases
      .filter(({ target }) => !images.includes(target))
      .map(({ name }) => `alias ${name} has no image`),
    ...additions.map((id) => `devices of instance ${id} are still being added`),
    ...keptFolders.map((id) => `the folder of instance ${id} counts as another database's`),
    ...(last > given.instances ? [`instance ${last} has an id that was never given`] : []),
  ];
}

function checkInstance(rows: Rows, instance: InstanceRow): string[] {
  const { name, profiles } = instance;
  const known = rows.profiles.map((profile) => profile.name);
  const power = powerOf(instance);
  return [
    ...profiles
      .filter((profile) => !known.includes(profile))
      .map((profile) => `${name} has the profile ${profile}, which is not there`),
    ...(['RUNNING', 'STOPPED'].includes(power) ? [] : [`${name} is left between two runs: ${power}`]),
  ];
}

function doubles(names: readonly string[]): string[] {
  return names.filter((name, at) => names.indexOf(name) !== at);
}
