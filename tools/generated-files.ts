import { format, resolveConfig } from 'prettier';
import { boundaryDigest } from './boundary-digest.ts';
import { configPage } from './config-page.ts';
import { eventPage } from './event-page.ts';
import { edgeJsonSchema, managerJsonSchema, observerJsonSchema, relayJsonSchema } from './config-schemas.ts';

/** Files of the repository that are made from the sources, by their path; what they must hold now. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const files: Record<string, string> = {
    'config.schema.json': JSON.stringify(relayJsonSchema()),
    'observer.schema.json': JSON.stringify(observerJsonSchema()),
    'manager.schema.json': JSON.stringify(managerJsonSchema()),
    'edge.schema.json': JSON.stringify(edgeJsonSchema()),
    'docs/config.md': configPage(),
    'docs/events.md': eventPage(),
    'src/quic/quinn/boundary-digest.ts': boundaryModule(),
  };
  const formatted = Object.entries(files).map(async ([path, content]): Promise<[string, string]> => {
    return [path, await format(content, { ...(await resolveConfig(path)), filepath: path })];
  });
  return new Map(await Promise.all(formatted));
}

function boundaryModule(): string {
  return `/** Of the Rust sources of native/boundary.txt, by \`npm run generate\`. An addon with another one is refused. */
export const boundaryDigest = '${boundaryDigest()}';
`;
}
