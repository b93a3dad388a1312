/** An absolute path without repeated and trailing slashes and `.`: equal for two spellings of one path. */
export function cleanPath(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
}
