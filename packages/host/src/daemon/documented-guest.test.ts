// A route of the guest API is a promise to programs that are not known here. So each one is in README.md, in
// docs/guest-api.md, and, when LXD does not have it, in `api_extensions`, where such a program looks for it.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { API_EXTENSIONS } from '../guest/handlers.ts';
import { ROUTES } from '../guest/routes.ts';

/** The requests in LXD's documentation of its guest API. */
const LXDS: readonly string[] = [
  'GET /',
  'GET /1.0',
  'PATCH /1.0',
  'GET /1.0/config',
  'GET /1.0/config/{}',
  'GET /1.0/devices',
  'GET /1.0/events',
  'GET /1.0/images/{}/export',
  'GET /1.0/meta-data',
  'GET /1.0/ubuntu-pro',
];

/** The extension that announces each other request. */
const EXTENSION_OF: Readonly<Record<string, string>> = {
  'PUT /1.0/config/{}': 'guest_config',
  'DELETE /1.0/config/{}': 'guest_config',
};

const ROOT = '../../../../';
const read = (path: string) => readFileSync(new URL(`${ROOT}${path}`, import.meta.url), 'utf8');

const served = ROUTES.flatMap(({ path, methods }) =>
  Object.keys(methods).map((method) => `${method} ${path.replace(/\{\w+\}/, '{}')}`),
).sort();

/**
 * Requests that a heading or the first cell of a row names, such as `PUT`, `DELETE /1.0/config/guest.KEY`.
 */
function requestsIn(named: string): string[] {
  const path = (/ (\/[^`]*)`/.exec(named)?.[1] ?? '').replace(/(?<=\/)(?:guest\.)?[A-Z]+(?=\/|$)/, '{}');
  return [...named.matchAll(/`(GET|PUT|PATCH|POST|DELETE)\b/g)].map(([, method]) => `${method} ${path}`);
}

const requestsOf = (page: string, line: RegExp) =>
  [...page.matchAll(line)].flatMap(([, named]) => requestsIn(named as string)).sort();

describe('the documentation of the guest API', () => {
  it('has every request in the table of README.md, and no other', () => {
    const [, section = ''] = read('README.md').split('\n## Inside an instance');
    const table = section.split('\n## ')[0] as string;
    expect(requestsOf(table, /^\| (`[^|]*) \|/gm)).toEqual(served);
  });

  it('has a section of docs/guest-api.md for every request, and no other', () => {
    expect(requestsOf(read('docs/guest-api.md'), /^### (`.*)$/gm)).toEqual(served);
  });

  it('has an extension for every request that LXD does not have', () => {
    const untold = served.filter((request) => !LXDS.includes(request) && !(request in EXTENSION_OF));
    expect(untold).toEqual([]);
    const unknown = Object.values(EXTENSION_OF).filter((each) => !API_EXTENSIONS.includes(each));
    expect(unknown).toEqual([]);
  });

  it('says what every extension is for, and has no others', () => {
    const [, section = ''] = read('docs/guest-api.md').split('\n| extension | what it adds |');
    const rows = [...(section.split('\n\n')[0] as string).matchAll(/^\| `(\w+)` \|/gm)];
    expect(rows.map(([, name]) => name)).toEqual(API_EXTENSIONS);
  });
});
