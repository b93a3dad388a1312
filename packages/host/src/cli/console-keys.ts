import { Transform } from 'node:stream';

/** Ctrl+a, then q, let go of the console. */
const PREFIX = 0x01;
const DETACH = 'q'.charCodeAt(0);

/**
 * Passes keys on to a console, except Ctrl+a q, which calls `detach`. Ctrl+a twice sends it once; before any
 * other key it is sent with that key.
 */
export function consoleKeys(detach: () => void): Transform {
  let prefixed = false;
  const take = (key: number): readonly number[] => {
    if (!prefixed) {
      prefixed = key === PREFIX;
      return prefixed ? [] : [key];
    }
    prefixed = false;
    if (key === DETACH) detach();
    if (key === DETACH || key === PREFIX) return key === PREFIX ? [key] : [];
    return [PREFIX, key];
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from([...chunk].flatMap(take)));
    },
  });
}
