import { type Life, never } from './life.ts';

/** Whether a rule applies before the work has any effect, or after all of it. */
type When = 'before' | 'after';

/** The names of a call's subject. */
type Subjects = string | readonly string[];

/** Selects calls: those with this subject (`DEVICE` or `ID/DEVICE`, else the id of an instance), or all. */
interface Meant {
  readonly subject?: string;
  readonly when?: When;
  /** Whether only the first such call is meant. */
  readonly once?: boolean;
}

interface Rule {
  readonly verb: string;
  readonly subject: string | undefined;
  readonly when: When;
  readonly meet: () => Promise<void> | void;
}

/** A call that waits until a test lets it go on or fail. */
export interface Held {
  /** Resolves when the call has been made. */
  readonly reached: Promise<void>;
  open(): void;
  fail(error: Error): void;
}

/** Faults of a fake machine: each rule is for one verb of its runtime. */
export class Faults {
  readonly #rules = new Set<Rule>();

  /** Makes calls fail from now on. @returns a function that ends this */
  refuse(verb: string, error = new Error(`no ${verb}`), meant: Meant = {}): () => void {
    const { subject, when = 'before', once = false } = meant;
    const meet = () => {
      if (once) end();
      throw error;
    };
    const end = this.#add({ verb, subject, when, meet });
    return end;
  }

  /** Holds the next call. */
  hold(verb: string, { subject, when = 'before' }: Meant = {}): Held {
    const reached = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const end = this.#add({
      verb,
      subject,
      when,
      meet: () => {
        end();
        reached.resolve();
        return over.promise;
      },
    });
    return { reached: reached.promise, open: over.resolve, fail: over.reject };
  }

  /** Throws if a rule refuses a synchronous call; such calls cannot be held. */
  check(verb: string, subject: string): void {
    for (const rule of this.#of(verb, subject, 'before')) void rule.meet();
  }

  /** Does work as the rules allow. It never settles if the life of the daemon that does it is over. */
  async act<T>(life: Life, verb: string, subject: Subjects, work: () => T | Promise<T>): Promise<T> {
    await this.#pass(life, verb, subject, 'before');
    const result = await work();
    await this.#pass(life, verb, subject, 'after');
    return result;
  }

  async #pass(life: Life, verb: string, subject: Subjects, when: When): Promise<void> {
    if (life.over) return never();
    for (const rule of this.#of(verb, subject, when)) await rule.meet();
    if (life.over) return never();
  }

  #of(verb: string, subjects: Subjects, when: When): Rule[] {
    const isMeant = ({ subject }: Rule) => subject === undefined || [subjects].flat().includes(subject);
    return [...this.#rules].filter((rule) => rule.verb === verb && rule.when === when && isMeant(rule));
  }

  #add(rule: Rule): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }
}
