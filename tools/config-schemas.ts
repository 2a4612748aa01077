import { z } from 'zod';
import { edgeFileKeys } from '../src/edge/config/edge-config.ts';
import { flowFields } from '../src/edge/config/flow-config.ts';
import { tunnelFields } from '../src/edge/config/tunnel-config.ts';
import { managerConfigSchema } from '../src/manager/config/config-schema.ts';
import { managerSchema } from '../src/node-link/manager-config.ts';
import { MAX_EDGE_ID_BYTES } from '../src/protocol/tunnel/limits.ts';
import { observerFileSchema } from '../src/observer/config/config-schema.ts';
import { keysWithoutUse } from '../src/relay/config/field-keys.ts';
import { relayConfigSchema } from '../src/relay/config/config-schema.ts';

/** As much of JSON Schema as our config files need. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly deprecated?: boolean;
}

const text: JsonSchema = { type: 'string' };

/** What a relay's config may hold beside the keys of its schema: older names, and keys of other relays. */
const olderRelayKeys: Readonly<Record<string, JsonSchema>> = {
  quic_addr: { ...text, deprecated: true, description: 'One address; quic_addrs takes a list.' },
  api_addr: { ...text, deprecated: true, description: 'One address; api_addrs takes a list.' },
  ...Object.fromEntries(
    keysWithoutUse.map((key) => [key, { deprecated: true, description: 'Taken with a warning; has no effect.' }]),
  ),
};

/** The JSON Schema of a relay's config.json, for editors. */
export function relayJsonSchema(): JsonSchema {
  const schema = toJsonSchema(relayConfigSchema, 'Configuration of an adit relay');
  return { ...schema, properties: { ...schema.properties, ...olderRelayKeys } };
}

/** The JSON Schema of an edge's edge.json. */
export function edgeJsonSchema(): JsonSchema {
  const file = z.strictObject({
    ...edgeFileKeys,
    edge_id: z
      .string()
      .min(1)
      .optional()
      .describe(`The edge's name, at most ${MAX_EDGE_ID_BYTES} bytes; the host's name unless it is set.`),
    tunnels: z.array(tunnelFields).default([]).describe('The tunnels of this edge.'),
    flows: z.array(flowFields).default([]).describe('The media flows of this edge (docs/media-flows.md).'),
    manager: managerSchema.optional(),
  });
  return toJsonSchema(file, 'Configuration of an adit edge');
}

/** The JSON Schema of an observer's observer.json. */
export function observerJsonSchema(): JsonSchema {
  return toJsonSchema(observerFileSchema, 'Configuration of an adit observer');
}

/** The JSON Schema of a manager's manager.json. */
export function managerJsonSchema(): JsonSchema {
  return toJsonSchema(managerConfigSchema, 'Configuration of an adit manager');
}

/** With the types that a person writes, not those that the program reads them into. */
function toJsonSchema(schema: z.ZodType, title: string): JsonSchema {
  const json = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
  return { title, ...json } as JsonSchema;
}
