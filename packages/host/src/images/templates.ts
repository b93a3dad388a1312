import type { ImageTemplate } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { whyUnsupported } from '../templates/plan.ts';
import { newParts } from '../templates/template-error.ts';
import { tooLarge } from './archive.ts';
import type { ImageLimits } from './image-limits.ts';

/** A template as metadata.yaml describes it, without its text. */
export type TemplateRule = Omit<ImageTemplate, 'text' | 'unsupported'>;

/** The texts in an image's folder `templates`, by name. They can come before the rules that name them. */
export class TemplateTexts {
  readonly #texts = new Map<string, string>();
  #size = 0;

  /** @throws CodedError image-too-large */
  add(name: string, text: string, limits: ImageLimits): void {
    this.#size += text.length;
    if (this.#size > limits.templateBytes) throw tooLarge(limits);
    if (this.#texts.size === limits.templates) throw tooMany(limits);
    this.#texts.set(name, text);
  }

  /**
   * The templates of an image, each with its text. Several rules can name one text.
   * @throws CodedError image-too-large
   */
  join(rules: readonly TemplateRule[], limits: ImageLimits): readonly ImageTemplate[] {
    if (rules.length > limits.templates) throw tooMany(limits);
    const texts = rules.map(({ file }) => this.#texts.get(file) ?? '');
    if (texts.reduce((sum, text) => sum + text.length, 0) > limits.templateBytes) throw tooLarge(limits);
    const parts = newParts();
    return rules.map((rule, index) => {
      const text = texts[index] as string;
      const isMissing = !this.#texts.has(rule.file);
      const unsupported = isMissing
        ? whyMissing(rule.file)
        : whyUnsupported({ path: rule.path, text }, parts);
      return { ...rule, text, unsupported };
    });
  }
}

const whyMissing = (file: string) =>
  file === '' ? 'it names no template' : `the image has no file ${JSON.stringify(`templates/${file}`)}`;

const tooMany = (limits: ImageLimits) =>
  hostError('image-too-large', `it has more than ${limits.templates} templates`);
