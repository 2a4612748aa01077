import { eventCatalogue } from '../src/edge/events/event-catalogue.ts';

const head = `# Events of an edge

Each is raised on a change, never again while it lasts. The texts are exact: managers match them. \`{x}\` stands for a
value, and \`details\` of the event says more: \`reason\`, \`error\`, \`remote_addr\`, \`attempts\`, \`down_secs\`.

What Adit adds to these: _SRT input connected (mode=listener, redundant leg 2)_ and these warnings of category \`tunnel\`:

- _Datagrams dropped: {reason}_
- _TCP connections refused: {reason}_
- _Narrow path to the relay: payloads of up to {n} bytes fit_
- _Several programs send to {local_addr}: answers go to the one that sent last_
`;

/** docs/events.md: every event with what it means and what to do. */
export function eventPage(): string {
  const rows = eventCatalogue.map(({ category, severity, message, means, remedy }) => {
    return `| ${category} | ${severity} | ${message} | ${means} | ${remedy} |`;
  });
  const table = [
    '| category | severity | message | raised when | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ];
  return `${head}\n${table.join('\n')}\n`;
}
