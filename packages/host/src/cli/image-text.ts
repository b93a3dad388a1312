import { printableLine } from '../base/printable.ts';
import type { ImageJson } from '../wire/image.ts';
import { formatBytes, formatTime, yesNo } from './text.ts';

/** The output of `porthole image info`, in LXD's layout, because scripts read it. */
export function describeImage(image: ImageJson): string {
  const lines = [
    `Fingerprint: ${image.fingerprint}`,
    `Size: ${formatBytes(image.size)}`,
    `Architecture: ${image.architecture}`,
    `Type: ${image.type}`,
    `Public: ${yesNo(image.public)}`,
    'Timestamps:',
    ...(formatTime(image.created_at) ? [`    Created: ${formatTime(image.created_at)}`] : []),
    `    Uploaded: ${formatTime(image.uploaded_at)}`,
    `    Expires: ${formatTime(image.expires_at) || 'never'}`,
    `    Last used: ${formatTime(image.last_used_at) || 'never'}`,
    'Properties:',
    ...Object.entries(image.properties).map(([key, value]) => `    ${key}: ${value}`),
    'Aliases:',
    ...image.aliases.map((alias) => `    - ${alias.name}`),
    `Cached: ${yesNo(image.cached)}`,
    `Auto update: ${image.auto_update ? 'enabled' : 'disabled'}`,
    'Profiles:',
    ...image.profiles.map((profile) => `    - ${profile}`),
  ];
  return lines.map(printableLine).join('\n');
}
