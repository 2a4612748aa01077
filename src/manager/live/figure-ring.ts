/** Points kept of each history: at one every five seconds, ten minutes. */
export const mostPoints = 120;

const firstRows = 15;

/**
 * The newest rows of a few numbers, in one piece of memory that grows as needed. As objects they would take many times
 * as much, and every node and flow has some. Null is kept.
 */
export class FigureRing {
  readonly #columns: number;
  readonly #mostRows: number;
  #memory: Float64Array;
  /** Where the next row goes, once the memory has all rows. */
  #next = 0;
  #rows = 0;

  constructor(columns: number, mostRows: number) {
    this.#columns = columns;
    this.#mostRows = mostRows;
    this.#memory = new Float64Array(columns * Math.min(firstRows, mostRows));
  }

  push(row: readonly (number | null)[]): void {
    this.#makeRoom();
    const start = this.#next * this.#columns;
    for (let column = 0; column < this.#columns; column++) this.#memory[start + column] = row[column] ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#mostRows;
    this.#rows = Math.min(this.#rows + 1, this.#mostRows);
  }

  /** Oldest first. */
  map<Row>(read: (figure: (column: number) => number | null) => Row): Row[] {
    const first = this.#rows < this.#mostRows ? 0 : this.#next;
    return Array.from({ length: this.#rows }, (_, index) => {
      const start = ((first + index) % this.#mostRows) * this.#columns;
      return read((column) => {
        const value = this.#memory[start + column] ?? Number.NaN;
        return Number.isNaN(value) ? null : value;
      });
    });
  }

  #makeRoom(): void {
    const rows = this.#memory.length / this.#columns;
    if (this.#rows < rows || rows >= this.#mostRows) return;
    const larger = new Float64Array(this.#columns * Math.min(rows * 2, this.#mostRows));
    larger.set(this.#memory);
    this.#memory = larger;
  }
}
