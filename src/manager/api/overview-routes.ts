import { z } from 'zod';
import { managerConfigSchema } from '../config/config-schema.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { settingSchema } from '../views/access.ts';
import { listOf } from '../views/common.ts';
import { instanceSchema, overviewSchema } from '../views/watching.ts';

/** The fleet's counts, the instances, and how this manager is configured. */
export function overviewRoutes({ fleet, config }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: 'overview',
      summary: 'Counts of nodes, legs, differences and critical events.',
      access: 'viewer',
      answer: overviewSchema,
      async handle() {
        const { nodes, legs, drift_open, critical_unacknowledged, changed_last_hour } = await fleet.overview();
        return { body: { nodes, legs, drift_open, critical_unacknowledged, changed_last_hour } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'instances',
      summary: 'Managers that share the database.',
      access: 'admin',
      answer: listOf(instanceSchema),
      async handle() {
        const instances = await fleet.instances();
        return { body: { items: instances.map((instance) => ({ ...instance })), next: null } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'settings',
      summary: 'The config in force, with defaults; values come from manager.json and the environment.',
      access: 'admin',
      answer: listOf(settingSchema),
      handle: () => Promise.resolve({ body: { items: settingsOf(config), next: null } }),
    }),
  ];
}

type Setting = z.input<typeof settingSchema>;

const secretSetting = /token|secret|password|url$/i;

function settingsOf(config: object): Setting[] {
  const defaults = flat(managerConfigSchema.parse({}));
  const descriptions = describedIn(managerConfigSchema);
  return Array.from(flat(config), ([key, value]) => {
    const usual = defaults.get(key) ?? null;
    const same = JSON.stringify(usual) === JSON.stringify(value);
    return {
      ...{ key, value: shown(key, value), default: shown(key, usual) },
      source: same ? ('default' as const) : ('file' as const),
      editable: false,
      description: descriptions.get(key) ?? '',
    };
  });
}

/** Secrets are replaced by whether there is one; a database's address keeps no password. */
function shown(key: string, value: unknown): unknown {
  if (value === null || !secretSetting.test(key)) return value;
  if (typeof value !== 'string' || !key.endsWith('url')) return '(set)';
  const url = URL.parse(value);
  if (url === null || url.password === '') return value;
  url.password = '';
  return url.href;
}

/** Leaves of nested objects by their dotted path. */
function flat(value: object, prefix = ''): Map<string, unknown> {
  const entries = Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, unknown][] => {
    const path = prefix + key;
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Array.from(flat(inner, `${path}.`))
      : [[path, inner]];
  });
  return new Map(entries);
}

/** The descriptions of a config schema by dotted path. */
function describedIn(schema: z.ZodType): Map<string, string> {
  const found = new Map<string, string>();
  collect(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), '', found);
  return found;
}

function collect(node: unknown, path: string, found: Map<string, string>): void {
  if (typeof node !== 'object' || node === null) return;
  const { description, properties, anyOf } = node as {
    readonly description?: unknown;
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly anyOf?: readonly unknown[];
  };
  if (typeof description === 'string') found.set(path, description);
  for (const choice of anyOf ?? []) collect(choice, path, found);
  for (const [key, inner] of Object.entries(properties ?? {}))
    collect(inner, path === '' ? key : `${path}.${key}`, found);
}
