// `npm run build`: makes dist/, which runs without the sources.
import { join } from 'node:path';
import { ROOT } from '../tidy/source.ts';
import { build } from './bundle.ts';

await build({
  target: join(ROOT, 'dist'),
  modules: join(ROOT, 'node_modules'),
  architecture: process.arch,
});
