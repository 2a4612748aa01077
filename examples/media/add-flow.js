// add-flow.js EDGE.json FLOW.json: writes a flow into an edge's config, in place of one with the same id.
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const [edgePath, flowPath] = process.argv.slice(2);
if (flowPath === undefined) {
  process.stderr.write('usage: add-flow.js EDGE.json FLOW.json\n');
  process.exit(2);
}
const edge = JSON.parse(readFileSync(edgePath, 'utf8'));
const flow = JSON.parse(readFileSync(flowPath, 'utf8'));
edge.flows = [...(edge.flows ?? []).filter(({ id }) => id !== flow.id), flow];
writeFileSync(edgePath, `${JSON.stringify(edge, null, 2)}\n`);
