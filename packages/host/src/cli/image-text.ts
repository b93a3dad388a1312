import { printableLine } from '../base/printable.ts';
import type { ImageJson, TemplateJson } from '../wire/image.ts';
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
    ...(image.templates ? ['Templates:', ...image.templates.map(describeTemplate)] : []),
  ];
  return lines.map(printableLine).join('\n');
}

function describeTemplate({ path, when, create_only, unsupported }: TemplateJson): string {
  const occasions = when.length > 0 ? `at ${when.join(', ')}` : 'never';
  const facts = [occasions, ...(create_only ? ['if the file is missing'] : [])].join(', ');
  return `    - ${path} (${facts})${unsupported === '' ? '' : `: left out: ${unsupported}`}`;
}

/** Warnings about the templates of an image that instances go without, one for each. */
export function templateWarnings({ templates = [] }: Pick<ImageJson, 'templates'>): readonly string[] {
  return templates
    .filter(({ unsupported }) => unsupported !== '')
    .map(({ path, unsupported }) =>
      printableLine(`Warning: the template of ${path} is not supported and is left out: ${unsupported}`),
    );
}
