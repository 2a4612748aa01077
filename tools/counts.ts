import process from 'node:process';

/**
 * The whole numbers from 1 on that a command takes, in order; `defaults` stand for those that are left out. `--help` prints
 * the usage. Anything else ends the process with status 2 and one line that quotes it.
 *
 * @param usage the command and what it takes, as in `long:events [events] [kills]`
 */
export function readCounts<const Defaults extends readonly number[]>(
  usage: string,
  defaults: Defaults,
): { [K in keyof Defaults]: number } {
  const given = process.argv.slice(2);
  if (given.includes('--help')) {
    process.stdout.write(`Usage: npm run ${usage}\n`);
    process.exit(0);
  }
  const wrong = given.find((text, at) => !/^[1-9]\d{0,8}$/.test(text) || at >= defaults.length);
  if (wrong !== undefined) {
    process.stderr.write(`${JSON.stringify(wrong)} is not understood here. Usage: npm run ${usage}\n`);
    process.exit(2);
  }
  const counts = defaults.map((whenAbsent, at) => (given[at] === undefined ? whenAbsent : Number(given[at])));
  return counts as { [K in keyof Defaults]: number };
}
