import { sameMarks } from './changes.ts';
import type { FleetHistory } from './history.ts';
import type { RunRecord, Shown } from './record.ts';

/** When all faults are over, every member shows what etcd has, and nothing else. */
export function checkEnds({ ends }: RunRecord, history: FleetHistory): string[] {
  return [...ends].flatMap(([member, shown]) => endOf(shown, history).map((each) => `${member}: ${each}`));
}

function endOf({ profiles, aliases, instances }: Shown, history: FleetHistory): string[] {
  const found = [
    ...sameNames('profiles', profiles, history),
    ...sameNames('aliases', aliases, history),
    ...sameNames('instances', instances, history),
  ];
  const last = (object: string) => history.at(object, history.last);
  for (const [name, config] of profiles)
    if (!sameMarks(config, last(`profiles/${name}`)?.config ?? {}))
      found.push(`the end of profile ${name} is ${JSON.stringify(config)}`);
  for (const [name, description] of aliases)
    if (description !== last(`aliases/${name}`)?.description)
      found.push(`the end of alias ${name} is ${description}`);
  for (const [name, { config, profiles: used, status }] of instances) {
    const record = last(`instances/${name}`);
    if (!sameMarks(config, record?.config ?? {}) || used.join() !== record?.profiles.join())
      found.push(`the end of instance ${name} is ${used.join()}, ${JSON.stringify(config)}`);
    if (status !== 'Running') found.push(`instance ${name} is ${status}`);
  }
  return found;
}

function sameNames(folder: string, shown: ReadonlyMap<string, unknown>, history: FleetHistory): string[] {
  const due = history.names(folder).filter((name) => history.at(`${folder}/${name}`, history.last));
  const missing = due.filter((name) => !shown.has(name));
  const extra = [...shown.keys()].filter((name) => !due.includes(name));
  return [
    ...missing.map((name) => `${folder}/${name} is not shown`),
    ...extra.map((name) => `${folder}/${name} is shown, and etcd does not have it`),
  ];
}
