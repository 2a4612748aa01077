/** `name=12.5%`, `name=12us`, and at the end of a sum ` = 26.8 us/leg/s`. */
const pair = /([A-Za-z_0-9./]+)=(-?\d+(?:\.\d+)?)/g;
const sum = /= (-?\d+(?:\.\d+)?) (KB\/leg|us\/leg\/s)/g;

/** The numbers that loadgen printed, by name, units taken off; of a name that comes twice the last. Numbers that are none (NaN) are left out. */
export function parseLoadgen(output: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const [, name = '', value] of output.matchAll(pair)) values.set(name, Number(value));
  for (const [, value, name = ''] of output.matchAll(sum)) values.set(name, Number(value));
  return values;
}
