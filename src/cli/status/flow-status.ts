import type { FlowStatsReport } from '../../edge/admin/flow-schemas.ts';
import { renderTable, type Column } from './table.ts';
import { bitrateWords } from './units.ts';

const columns: readonly Column[] = [
  { title: 'FLOW', shortest: 8 },
  { title: 'HEALTH' },
  { title: 'PART' },
  { title: 'TYPE' },
  { title: 'STATE' },
  { title: 'RATE' },
  { title: 'LOST' },
  { title: 'DROPPED', leaves: 1 },
  { title: 'CC ERRORS', leaves: 2 },
  { title: 'PEER', leaves: 3 },
];

/** The media flows of an edge: a line for each input, and one for each output. */
export function renderFlows(flows: readonly FlowStatsReport[], width?: number): string {
  return renderTable(columns, flows.flatMap(rowsOf), width);
}

function rowsOf(flow: FlowStatsReport): string[][] {
  const { input, outputs, tr101290 } = flow;
  const health = flow.problem === null ? flow.health : `${flow.health}: ${flow.problem}`;
  const errors = tr101290?.['continuity_errors'];
  const first =
    input === null
      ? ['input', '', flow.state, '', '', '', '', '']
      : [
          ...['input', input.input_type, input.state, bitrateWords(input.bitrate_bps), String(input.packets_lost), ''],
          ...[
            errors === undefined ? '' : String(errors),
            input.remote_addr ?? input.local_addr ?? input.listen_addr ?? input.rtsp_url ?? '',
          ],
        ];
  const rest = outputs.map((output) => [
    ...['', '', output.output_id, output.output_type, output.state, bitrateWords(output.bitrate_bps), ''],
    ...[String(output.packets_dropped), '', output.remote_addr ?? output.local_addr ?? ''],
  ]);
  return [[flow.flow_id, health, ...first], ...rest];
}
