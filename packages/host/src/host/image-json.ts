import { NEVER } from '../base/clock.ts';
import type { Alias, ImageTemplate } from '../core/entities.ts';
import type { ImageInfo } from '../library/requests.ts';
import type { AliasJson, ImageJson, TemplateJson } from '../wire/image.ts';

/** How LXD writes the last use of an image that was never used. */
const NEVER_USED = '0001-01-01T00:00:00Z';

/** An image as the API shows it. */
export function imageJson({ image, aliases }: ImageInfo): ImageJson {
  return {
    fingerprint: image.fingerprint,
    type: 'container',
    architecture: image.architecture,
    size: image.size,
    filename: image.filename,
    public: image.public,
    cached: image.cached,
    auto_update: image.autoUpdate,
    properties: image.properties,
    profiles: image.profiles,
    aliases: aliases.map(({ name, description }) => ({ name, description })),
    created_at: image.createdAt,
    uploaded_at: image.uploadedAt,
    last_used_at: image.lastUsedAt === NEVER ? NEVER_USED : image.lastUsedAt,
    expires_at: image.expiresAt,
    ...(image.templates ? { templates: image.templates.map(templateJson) } : {}),
  };
}

function templateJson({ path, file, when, createOnly, unsupported }: ImageTemplate): TemplateJson {
  return { path, template: file, when, create_only: createOnly, unsupported: unsupported ?? '' };
}

/** An image alias as the API shows it. */
export function aliasJson({ name, target, description }: Alias): AliasJson {
  return { name, target, type: 'container', description };
}
