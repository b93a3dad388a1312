import type { ClientRequest, IncomingMessage } from 'node:http';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { answerTo, request } from '../base/node-http.ts';
import { hostError } from '../core/host-errors.ts';
import type { FilesOfImage, ImageDirectory } from '../images/image-directory.ts';
import type { Upload, UploadPart } from '../images/upload.ts';
import type { MemberAgents } from './link/member-agents.ts';
import type { MemberFleet } from './member.ts';

/** A member that sends less in this time is too slow, and another one is asked: any link between members carries more. */
export const PIECE_BYTES_MIN = 1024 * 1024;
/** See {@link PIECE_BYTES_MIN}. */
export const PIECE_MS = 30_000;

export interface ImageFetchParts {
  readonly fleet: Pick<MemberFleet, 'commit' | 'holdersOf' | 'members' | 'own'>;
  readonly agents: Pick<MemberAgents, 'of'>;
  readonly images: Pick<ImageDirectory, 'publish' | 'receive' | 'remove'>;
  readonly log: Log;
}

/** Gets the files of images from other members: each image once, checked by its fingerprint. */
export class ImageFetch {
  readonly #parts: ImageFetchParts;
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: ImageFetchParts) {
    this.#parts = parts;
  }

  /** Resolves when the files are here. @throws image-elsewhere */
  fetch(image: FilesOfImage): Promise<void> {
    const { fingerprint } = image;
    const running = this.#running.get(fingerprint) ?? this.#begin(image);
    this.#running.set(fingerprint, running);
    return running;
  }

  async #begin(image: FilesOfImage): Promise<void> {
    try {
      await this.#fromAny(image);
    } finally {
      this.#running.delete(image.fingerprint);
    }
  }

  async #fromAny(image: FilesOfImage): Promise<void> {
    const { fleet, log } = this.#parts;
    const holders = fleet.holdersOf(image.fingerprint);
    const online = fleet
      .members()
      .filter(({ name, online }) => online && holders.has(name) && name !== fleet.own);
    for (const { name } of online) {
      try {
        return await this.#from(name, image);
      } catch (error) {
        const { fingerprint } = image;
        log.warn({ member: name, fingerprint, reason: messageOf(error) }, 'an image could not be fetched');
      }
    }
    throw hostError('image-elsewhere', [...holders].sort().join(', ') || 'no member');
  }

  async #from(member: string, image: FilesOfImage): Promise<void> {
    const { fleet, images } = this.#parts;
    const { fingerprint } = image;
    const staged = await images.receive(await this.#upload(member, image), {
      fingerprint,
      signal: new AbortController().signal,
      onBytes: () => {},
      onStored: () => {},
      onChecked: () => {},
    });
    await images.publish(staged);
    // If this fails, other members fetch the files elsewhere. They are here all the same.
    await fleet.commit([{ kind: 'put-holder', fingerprint, member: fleet.own }]).catch(() => {});
    if (fleet.holdersOf(fingerprint).size > 0) return;
    await images.remove(fingerprint);
    throw new Error('the image has been deleted meanwhile');
  }

  async #upload(member: string, { fingerprint, files }: FilesOfImage): Promise<Upload> {
    const file = (number: number) => this.#file(member, `/fleet/1.0/images/${fingerprint}/files/${number}`);
    if (files.kind === 'split') return { kind: 'split', parts: partsOf(file) };
    return { kind: 'unified', filename: '', data: await file(0) };
  }

  async #file(member: string, path: string): Promise<IncomingMessage> {
    const outgoing = request({ agent: this.#parts.agents.of(member), path });
    endIfSlow(outgoing);
    const incoming = await answerTo(outgoing.end());
    if (incoming.statusCode === 200) return incoming;
    incoming.resume();
    throw new Error(`the member answered ${incoming.statusCode}`);
  }
}

async function* partsOf(file: (number: number) => Promise<IncomingMessage>): AsyncGenerator<UploadPart> {
  for (const [number, name] of ['metadata', 'rootfs'].entries()) {
    yield { name, filename: '', data: await file(number) };
  }
}

/** Ends a request whose answer comes too slowly. */
function endIfSlow(outgoing: ClientRequest): void {
  let waiting: ClientRequest | IncomingMessage = outgoing;
  outgoing.once('response', (incoming) => {
    waiting = incoming;
  });
  outgoing.once('socket', (socket) => {
    let before = socket.bytesRead;
    const timer = setInterval(() => {
      if (socket.bytesRead - before < PIECE_BYTES_MIN)
        waiting.destroy(new Error('the member sends too slowly'));
      before = socket.bytesRead;
    }, PIECE_MS);
    outgoing.once('close', () => clearInterval(timer));
  });
}
