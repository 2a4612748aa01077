// merge.js TO.json FROM.json…: adds the tunnels and flows of configs to another one, in place of those with the same id.
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const [into, ...from] = process.argv.slice(2);
if (from.length === 0) {
  process.stderr.write('usage: merge.js TO.json FROM.json…\n');
  process.exit(2);
}
const config = JSON.parse(readFileSync(into, 'utf8'));
for (const path of from) {
  const { tunnels = [], flows = [] } = JSON.parse(readFileSync(path, 'utf8'));
  for (const [key, added] of Object.entries({ tunnels, flows })) {
    if (added.length === 0) continue;
    const ids = new Set(added.map(({ id }) => id));
    config[key] = [...(config[key] ?? []).filter(({ id }) => !ids.has(id)), ...added];
  }
}
writeFileSync(into, `${JSON.stringify(config, null, 2)}\n`);
