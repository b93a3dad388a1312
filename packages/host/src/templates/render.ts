import type { Expression } from './expression.ts';
import { FILTERS, SEARCHING } from './filters.ts';
import type { ForNode, Node } from './parse.ts';
import { TEMPLATE_LIMITS, TemplateError } from './template-error.ts';
import {
  isEqual,
  isIn,
  isTruthy,
  itemsOf,
  memberOf,
  sizeOf,
  textOf,
  type Value,
  type ValueMap,
} from './values.ts';

/** The work that templates may still cause; shared by all templates of one start. */
export interface Budget {
  left: number;
}

/** What a step and a pass of a loop cost, beside the characters that they touch: about as much time. */
const STEP_COST = 4;
const PASS_COST = 32;
/** How many characters a search compares in the time of one unit of work. */
const COMPARED_PER_WORK = 16;

/** A fresh budget, for the templates of one start. */
export const newBudget = (): Budget => ({ left: TEMPLATE_LIMITS.work });

/**
 * Makes the text of a template. Its time is in proportion to what it takes from the budget.
 * @param variables of the template; `config` is what config_get looks into
 * @throws TemplateError
 */
export function render(template: readonly Node[], variables: ValueMap, budget: Budget): string {
  const writer = new Writer(variables, budget);
  writer.write(template);
  return writer.text();
}

class Writer {
  readonly #variables: ValueMap;
  readonly #budget: Budget;
  /** Variables of the loops around, the innermost last. */
  readonly #loops: ValueMap[] = [];
  readonly #written: string[] = [];
  #size = 0;

  constructor(variables: ValueMap, budget: Budget) {
    this.#variables = variables;
    this.#budget = budget;
  }

  text(): string {
    return this.#written.join('');
  }

  write(nodes: readonly Node[]): void {
    for (const node of nodes) {
      this.#spend(STEP_COST);
      if (node.kind === 'text') this.#put(node.text);
      else if (node.kind === 'output') this.#put(textOf(this.#value(node.of)));
      else if (node.kind === 'for') this.#loop(node);
      else this.write(node.branches.find(({ condition }) => this.#isTrue(condition))?.body ?? node.otherwise);
    }
  }

  #loop(node: ForNode): void {
    const over = this.#value(node.over);
    this.#spend(sizeOf(over) * PASS_COST);
    const items = itemsOf(over);
    if (items.length === 0) this.write(node.empty);
    const [first, second] = node.names;
    const ordered = node.reversed ? items.toReversed() : items;
    for (const [index, [one, other]] of ordered.entries()) {
      const own: [string, Value][] =
        second === null
          ? [[first, one]]
          : [
              [first, one],
              [second, other],
            ];
      this.#loops.push(new Map<string, Value>([['forloop', loopFacts(index, items.length)], ...own]));
      this.write(node.body);
      this.#loops.pop();
    }
  }

  #put(text: string): void {
    this.#spend(text.length);
    this.#size += text.length;
    if (this.#size > TEMPLATE_LIMITS.output) throw new TemplateError('its text becomes too long');
    this.#written.push(text);
  }

  #spend(work: number): void {
    this.#budget.left -= work;
    if (this.#budget.left < 0) throw new TemplateError('it takes too much work');
  }

  #isTrue(condition: Expression): boolean {
    return isTruthy(this.#value(condition));
  }

  #value(expression: Expression): Value {
    this.#spend(STEP_COST);
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'variable':
        this.#spend(this.#loops.length + expression.members.length * STEP_COST);
        return expression.members.reduce(memberOf, this.#variable(expression.name));
      case 'config-get':
        return this.#configGet(expression.key, expression.otherwise);
      case 'filter':
        return this.#filtered(expression.name, this.#value(expression.of), this.#value(expression.with));
      case 'not':
        return !this.#isTrue(expression.of);
      case 'and':
        return this.#isTrue(expression.left) && this.#isTrue(expression.right);
      case 'or':
        return this.#isTrue(expression.left) || this.#isTrue(expression.right);
      default:
        return this.#compared(expression.kind, this.#value(expression.left), this.#value(expression.right));
    }
  }

  #variable(name: string): Value {
    const scope = this.#loops.findLast((loop) => loop.has(name)) ?? this.#variables;
    return scope.get(name) ?? null;
  }

  #configGet(key: Expression, otherwise: Expression): Value {
    const found = memberOf(this.#variables.get('config') ?? null, textOf(this.#value(key)));
    return found ?? this.#value(otherwise);
  }

  #filtered(name: string, value: Value, parameter: Value): Value {
    this.#spend(sizeOf(value) + sizeOf(parameter));
    if (SEARCHING.has(name)) this.#spendSearch(parameter, value);
    const result = FILTERS.get(name)?.(value, parameter) ?? null;
    this.#spend(sizeOf(result));
    return result;
  }

  #compared(kind: 'equal' | 'unequal' | 'in', left: Value, right: Value): boolean {
    this.#spend(sizeOf(left) + sizeOf(right));
    if (kind !== 'in') return isEqual(left, right) === (kind === 'equal');
    this.#spendSearch(left, right);
    return isIn(left, right);
  }

  /** The worst texts make a search compare each character of the part at each place of the whole. */
  #spendSearch(part: Value, whole: Value): void {
    this.#spend(Math.ceil((sizeOf(part) * sizeOf(whole)) / COMPARED_PER_WORK));
  }
}

function loopFacts(index: number, length: number): ValueMap {
  return new Map<string, Value>([
    ['Counter', index + 1],
    ['Counter0', index],
    ['Revcounter', length - index],
    ['Revcounter0', length - index - 1],
    ['First', index === 0],
    ['Last', index === length - 1],
  ]);
}
