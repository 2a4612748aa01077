import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import { readCounts } from '../../../tools/counts.ts';
import { clientScenarios, type ClientScenario, type Meeting } from './scenarios.ts';
import { vartaClients, type VartaClient } from './varta-clients.ts';

/**
 * `npm run clients:table`: the unmodified clients of varta 0.2.0 beat for a minute, or as long as the argument says,
 * while they and the observer restart. Writes docs/observer-clients.md. Fails where something is not as it should be.
 */
const [seconds] = readCounts('clients:table -- [seconds]', [60]);
const page = join(import.meta.dirname, '../../../docs/observer-clients.md');

const meetings = vartaClients.flatMap((client) =>
  clientScenarios.map(async (scenario) => {
    const meeting = await scenario.run(client, seconds);
    return { row: rowOf(client, scenario, meeting), isRight: isRight(scenario, meeting) };
  }),
);
const rows = await Promise.all(meetings);
const wrong = rows.filter((each) => !each.isRight);
const content = `# Unmodified varta clients at the observer

\`npm run clients:table -- ${seconds}\` writes this page: the clients of varta 0.2.0 from crates.io and PyPI beat
five times a second for ${seconds} s, while they and the observer restart. A beat before a fork and the terminal beat of a
panic are not in a client's own count. [observer.md](observer.md#10-programs-that-beat) says what follows for programs that beat.

| client | scenario | the client saw | the observer saw | |
| --- | --- | --- | --- | --- |
${rows.map(({ row }) => row).join('\n')}
`;
writeFileSync(page, await format(content, { ...(await resolveConfig(page)), parser: 'markdown' }));
for (const { row } of wrong) process.stderr.write(`wrong: ${row}\n`);
process.stdout.write(`${rows.length - wrong.length} right, ${wrong.length} wrong\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function isRight(scenario: ClientScenario, { clients, seen }: Meeting): boolean {
  return clients.every((each, at) => {
    const of = seen[at];
    return of !== undefined && scenario.isRight(each, of);
  });
}

function rowOf({ name }: VartaClient, scenario: ClientScenario, { clients, seen }: Meeting): string {
  const saw = clients.map(({ who, sent, dropped, failed, last }) => {
    const lost = dropped === 0 ? '' : `, dropped ${dropped} (${last})`;
    return `${who}: sent ${sent}${lost}${failed === 0 ? '' : `, failed ${failed}`}`;
  });
  const observed = seen.map(({ beats, stalls, terminal, later }) => {
    const after = later === 0 ? '' : `, ${later} of them after the restart`;
    return `Stalls: ${stalls}, beats: ${beats}${terminal ? ' with the terminal one' : ''}${after}`;
  });
  const verdict = isRight(scenario, { clients, seen }) ? scenario.outcome : 'WRONG';
  return `| ${name} | ${scenario.name} | ${saw.join('<br>')} | ${observed.join('<br>')} | ${verdict} |`;
}
