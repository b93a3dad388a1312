// `npm run picture`: draws the rooms of the daemon, from the table of allowed imports.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../tidy/source.ts';
import { drawRooms, PICTURE } from './picture.ts';

writeFileSync(join(ROOT, PICTURE), drawRooms());
