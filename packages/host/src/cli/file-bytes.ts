import { type Readable, Transform } from 'node:stream';
import type { Session } from './session.ts';

/**
 * The same bytes; a bar shows how many of them have passed.
 * @param total undefined when it is unknown
 */
export async function countBytes(
  session: Session,
  source: Readable,
  title: string,
  total: number | undefined,
): Promise<Readable> {
  if (!session.progress.shown || !total) return source;
  const show = await session.progress.bytes(title);
  let passed = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      show(passed, total);
      done(null, chunk);
    },
  });
  source.on('error', (error) => counter.destroy(error));
  counter.on('close', () => source.destroy());
  return source.pipe(counter);
}
