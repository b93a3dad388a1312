import type { FigureKey } from '../figures.ts';

/** The measured values: one a round for each figure and column. */
export class Results {
  readonly #values = new Map<FigureKey, Map<string, number[]>>();
  readonly #remarks = new Map<string, string>();

  /** Adds a round's value. @param column a peer, or a number of instances or listeners */
  add(figure: FigureKey, column: string, value: number): void {
    if (!Number.isFinite(value)) throw new Error(`${figure} of ${column} is no number`);
    const columns = this.#values.get(figure) ?? new Map<string, number[]>();
    this.#values.set(figure, columns);
    columns.set(column, [...(columns.get(column) ?? []), value]);
  }

  /** The values of all rounds, in order; empty when it was not measured. */
  of(figure: FigureKey, column: string): readonly number[] {
    return this.#values.get(figure)?.get(column) ?? [];
  }

  /** The columns of a figure, in the order of the first round. */
  columns(figure: FigureKey): string[] {
    return [...(this.#values.get(figure)?.keys() ?? [])];
  }

  /** Whether any column of a figure was measured. */
  has(figure: FigureKey): boolean {
    return this.#values.has(figure);
  }

  /** Notes why a column is empty. */
  remark(column: string, text: string): void {
    this.#remarks.set(column, text);
  }

  get remarks(): ReadonlyMap<string, string> {
    return this.#remarks;
  }
}
