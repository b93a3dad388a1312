/** An absolute path without repeated, trailing and single-dot components: equal for equal places. */
export function cleanPath(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
}
