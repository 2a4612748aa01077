import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import { eventCatalogue, type CatalogueRow } from '../../../src/edge/events/event-catalogue.ts';
import { hasText } from '../../support/catalogue-text.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { provokeEdgeEvents } from '../../support/programs/provoke-edge-events.ts';
import { failureScenarios } from './failure-scenarios.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { webrtcScenarios } from './webrtc-scenarios.ts';

/**
 * `npm run events:raise`: has a running edge raise the events of its catalogue with the programs of others, and writes
 * docs/events-raised.md. Needs the packages of .ci/packages. Fails where one was not raised.
 */
interface Raised {
  readonly message: string;
  readonly peer: string;
}

const page = join(import.meta.dirname, '../../../docs/events-raised.md');

async function play({ peer, run }: Scenario): Promise<Raised[]> {
  await using bed = await FlowBed.open();
  try {
    await run(bed);
  } catch (error) {
    process.stderr.write(`${peer}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  return bed.manager.events.map(({ payload: { message } }) => ({ message, peer }));
}

async function playTunnels(): Promise<Raised[]> {
  await using manager = await TestManager.start();
  await provokeEdgeEvents(manager, 'quiche');
  return manager.events.map(({ payload: { message } }) => ({ message, peer: 'a relay and a manager' }));
}

const raised: Raised[] = [];
for (const scenario of [...scenarios, ...webrtcScenarios, ...failureScenarios]) raised.push(...(await play(scenario)));
raised.push(...(await playTunnels()));

let missing = 0;
const rows = eventCatalogue.map((row) => {
  const found = raised.find(({ message }) => isRow(row, message));
  if (found === undefined) missing++;
  const cause = found === undefined ? 'not raised: its scenario failed' : found.peer;
  return `| ${row.category} | ${row.message} | ${found?.message ?? ''} | ${cause} |`;
});
const text = `# Events as they were raised

\`npm run events:raise\` writes this page: it starts an edge, and programs of others beside it, and takes down what the
edge's manager gets. [events.md](events.md) says what each event means and what to do.

| category | event | as it was raised | by |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
writeFileSync(page, await format(withoutPlaces(text), { ...(await resolveConfig(page)), parser: 'markdown' }));
process.stdout.write(`${eventCatalogue.length - missing} of ${eventCatalogue.length} raised\n`);
process.exit(missing === 0 ? 0 : 1);

/** Ports and temporary folders change from run to run. */
function withoutPlaces(content: string): string {
  return content.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT').replaceAll(/\S+\/adit-program-\w+\//g, 'FOLDER/');
}

/**
 * The link to a manager may have a reason, which stands behind its text. A text that is a row of its own is of no other.
 */
function isRow(row: CatalogueRow, message: string): boolean {
  const own = eventCatalogue.find((each) => each.message === message);
  return own === undefined ? hasText(row, message) || message.startsWith(`${row.message}: `) : own === row;
}
