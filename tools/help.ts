import process from 'node:process';
import { scriptPurposes } from './script-purposes.ts';

/** `npm run help`. */
const width = Math.max(...Object.keys(scriptPurposes).map((name) => name.length));
const lines = Object.entries(scriptPurposes).map(([name, purpose]) => `  npm run ${name.padEnd(width)}  ${purpose}`);
process.stdout.write(
  `${['What there is to run here (bin/adit --help has the program itself):', '', ...lines].join('\n')}\n`,
);
