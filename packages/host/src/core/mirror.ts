import type { SharedChange } from './shared.ts';

/** Names an object, the same in every change of it. */
export function mirrorKeyOf(change: SharedChange): string {
  switch (change.kind) {
    case 'put-instance':
      return `instances/${change.instance.name}`;
    case 'delete-instance':
      return `instances/${change.name}`;
    case 'put-profile':
      return `profiles/${change.profile.name}`;
    case 'delete-profile':
      return `profiles/${change.name}`;
    case 'put-image':
      return `images/${change.image.fingerprint}`;
    case 'delete-image':
      return `images/${change.fingerprint}`;
    case 'put-alias':
      return `aliases/${change.alias.name}`;
    case 'delete-alias':
      return `aliases/${change.name}`;
    case 'put-member':
      return `members/${change.member.name}`;
    case 'delete-member':
      return `members/${change.name}`;
    case 'put-alive':
    case 'delete-alive':
      return `alive/${change.member}`;
    case 'put-holder':
    case 'delete-holder':
      return `holders/${change.fingerprint}/${change.member}`;
  }
}
