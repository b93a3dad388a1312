import { messageOf } from '../base/coded-error.ts';
import { within } from '../base/within.ts';
import { adoptedInit, type ProcessName } from '../core/adopted.ts';
import { type Container, containerOf } from '../core/container.ts';
import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { recordOf } from '../core/records.ts';
import { adoptAgain } from '../instances/adopt.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { performPlans } from '../instances/perform.ts';
import { planUpdate } from '../instances/plan.ts';
import type { Adoption, NewInstance } from '../instances/requests.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Operation } from '../model/operation.ts';
import { type Claim, claimOf, claimOfUser, continuedBy } from './claim.ts';
import type { Described } from './described.ts';
import type { HookRequest, MachineRequest, Subject } from './hook-request.ts';
import { UserStarts } from './user-starts.ts';

type AdoptionNeeds = RunNeeds & Needs<'adopter' | 'operations' | 'random'>;

/** How long a hook waits for the end of a run whose processes are gone. */
const END_MS_MAX = 5_000;

const ROOT = 0;

/** Instances that one user of the host may have. */
const OF_USER_MAX = 64;

/** Time to read the records of a container, which are a few files. */
const DESCRIBE_MS_MAX = 5_000;
const NO_ANSWER = 'the disk with the records of the container does not answer';

/** The parts of the daemon that adoptions need, beside the use cases of instances. */
export interface AdoptionParts {
  /** Creates an instance, as for an operator. */
  readonly create: (input: NewInstance, by: null) => Operation;
  /** Reads what the other runtime's records say about a container. */
  readonly describe: (subject: Subject) => Promise<Described>;
  /** The same for a container of a user of the host. */
  readonly describeOfUser: (subject: Subject, uid: number) => Promise<Described>;
}

/** Adopts containers when hooks request it, and machines when they appear. */
export class Adoptions {
  readonly #context: AdoptionNeeds;
  readonly #parts: AdoptionParts;
  readonly #userStarts: UserStarts;

  constructor(context: AdoptionNeeds, parts: AdoptionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#userStarts = new UserStarts(context.clock);
  }

  /**
   * Adopts a container whose first process exists, but does not run its program yet. When this settles, the
   * adoption is stored and the daemon knows the callers in the container.
   * @throws CodedError that says why the container is not adopted
   */
  async begin(request: HookRequest): Promise<void> {
    const init = this.#initOf(request);
    const described = await this.#answered(this.#parts.describe(request.subject));
    const claim = claimOf(described);
    await this.#adopt(init, described.container, claim);
  }

  /**
   * Adopts a machine that machined has named. The machine may already run its program.
   * @throws CodedError that says why the machine is not adopted; then the machine has no new mount of the guest API
   */
  async beginMachine({ subject, ticks, profiles }: MachineRequest): Promise<void> {
    const { adopter } = this.#context;
    const init = adopter.nameOf(subject.pid);
    if (BigInt(init.startTime) > ticks) throw hostError('bad-request', 'the machine has ended');
    // With newer systemd, other users can register machines too, under any name.
    if (adopter.ownerOf(init.pid) !== ROOT)
      throw hostError('bad-request', 'the machine does not belong to root');
    const described = await this.#answered(this.#parts.describe(subject));
    const claim = claimOf(described);
    if (profiles === null) return this.#adopt(init, described.container, claim);
    await this.#adoptShown(init, described.container, { ...claim, profiles: claim.profiles ?? profiles });
  }

  /** Adopts a container that was started without the guest API. */
  async #adoptShown(init: ProcessName, container: Container, claim: Claim): Promise<void> {
    const { adopter, log } = this.#context;
    // The mount is first. If the daemon is killed after it, the next daemon finds it and adopts the container.
    const isNew = await adopter.showGuestApi(init);
    try {
      await this.#adopt(init, container, claim);
    } catch (error) {
      // If this fails, callers in the container still stay unknown.
      const stays = (reason: unknown) =>
        log.warn({ pid: init.pid, reason: messageOf(reason) }, 'the guest API stays mounted in a container');
      if (isNew) await adopter.hideGuestApi(init).catch(stays);
      throw error;
    }
  }

  /**
   * Adopts a container that a user of the host has started. That user wrote the request, so this asks the kernel whose
   * container it is.
   * @throws CodedError that says why the container is not adopted
   */
  async beginOfUser(request: HookRequest, uid: number): Promise<void> {
    const init = this.#initOf(request);
    if (this.#context.adopter.ownerOf(init.pid) !== uid)
      throw hostError('bad-request', 'the container does not belong to the user who asks');
    this.#userStarts.take(uid);
    const described = await this.#answered(this.#parts.describeOfUser(request.subject, uid));
    const claim = claimOfUser(uid, described);
    const { model } = this.#context;
    const isNew = !model.isOwn(claim.name);
    if (isNew && model.countOfUser(uid) >= OF_USER_MAX)
      throw hostError(
        'bad-request',
        `a user may have ${OF_USER_MAX} instances; those with the annotation dev.porthole.ephemeral=true are deleted when their containers end`,
      );
    await this.#adopt(init, described.container, claim);
  }

  async #adopt(init: ProcessName, container: Container, claim: Claim): Promise<void> {
    // If it has ended, its records may have gone while they were read.
    if (!this.#context.adopter.isRunning(init)) throw hostError('bad-request', 'the container has ended');
    const said = { ...container, said: Object.keys(claim.config) };
    const adoption = { pid: init.pid, init, container: said };
    const { model } = this.#context;
    const named = model.isOwn(claim.name) ? model.instance(claim.name) : null;
    const instance = continuedBy(container, { before: model.ofContainer(container.id), named });
    if (instance === null) await this.#create(claim, adoption);
    // The daemon before this one may have ended between the adoption and its answer.
    else if (this.#runs(instance, init)) return;
    else await this.#continue(instance, claim, adoption);
  }

  /** Settles when the end of a container's run is stored, or after `END_MS_MAX`. */
  async end({ subject }: HookRequest): Promise<void> {
    const { model, running, queue } = this.#context;
    // Another user could give a container the same id.
    const isIts = ({ config }: Instance) => {
      const its = containerOf(config);
      return its?.id === subject.id && its.owner === '';
    };
    const id = model.ofContainer(subject.id).find(isIts)?.id;
    const run = id === undefined ? undefined : running.get(id);
    if (id === undefined || run === undefined) return;
    await within(
      END_MS_MAX,
      run.handle.ended.then(() => queue.run(id, 'settle', () => {})),
    );
  }

  /** Waits for what the records say. If their disk does not answer, only the containers of this disk wait. */
  async #answered(work: Promise<Described>): Promise<Described> {
    let described: Described | undefined;
    const told = work.then((found) => {
      described = found;
    });
    if (!(await within(DESCRIBE_MS_MAX, told)) || described === undefined)
      throw hostError('bad-request', NO_ANSWER);
    return described;
  }

  /** The process to which the hook's request refers, never a later one with its pid. @throws bad-request */
  #initOf({ subject, ticks, bootId }: HookRequest): ProcessName {
    const init = this.#context.adopter.nameOf(subject.pid);
    const isIts = init.bootId === bootId && BigInt(init.startTime) <= ticks;
    if (!isIts) throw hostError('bad-request', 'the container has ended');
    return init;
  }

  #runs({ id, config }: Instance, init: ProcessName): boolean {
    const its = adoptedInit(config);
    const isSame = its?.pid === init.pid && its.startTime === init.startTime && its.bootId === init.bootId;
    return isSame && this.#context.running.has(id);
  }

  async #create(claim: Claim, adoption: Adoption): Promise<void> {
    const { operations } = this.#context;
    const { id } = this.#parts.create(
      { ...claim, description: '', architecture: '', devices: {}, source: { type: 'adopt', ...adoption } },
      null,
    );
    const { status, err } = await operations.wait(id, -1);
    if (status !== 'Success') throw hostError('bad-request', err);
  }

  async #continue({ id }: Instance, claim: Claim, adoption: Adoption): Promise<void> {
    const { queue, model, running } = this.#context;
    const before = running.get(id);
    // A runtime may start a container again before the daemon has seen the end of its last run: the last init may
    // exist until its parent has reaped it.
    if (before !== undefined) await within(END_MS_MAX, before.handle.ended);
    await queue.run(id, 'start', async () => {
      const current = model.current(id);
      const isNew = containerOf(current.config)?.id !== adoption.container?.id;
      if (isNew && !running.has(id)) await this.#redeclare(current, claim);
      await adoptAgain(this.#context, id, adoption, null);
    });
  }

  /** Applies the words of a container that replaces an earlier one of this name; all keys of other origin stay. */
  async #redeclare(current: Instance, claim: Claim): Promise<void> {
    const before = new Set(containerOf(current.config)?.said);
    const kept = Object.entries(current.config).filter(([key]) => !before.has(key));
    const next: Instance = {
      ...current,
      profiles: claim.profiles ?? current.profiles,
      ephemeral: claim.ephemeral,
      config: recordOf([...kept, ...Object.entries(claim.config)]),
    };
    const plan = planUpdate(this.#context, current, next, this.#context.model.state.profiles);
    const updated = lifecycle('instance-updated', 'instances', current.name);
    await performPlans(this.#context, [plan], { changes: [], events: [updated] });
  }
}
