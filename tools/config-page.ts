import {
  edgeJsonSchema,
  managerJsonSchema,
  observerJsonSchema,
  relayJsonSchema,
  type JsonSchema,
} from './config-schemas.ts';

const head = `# Configuration

This page is generated from the programs' own schemas by \`npm run generate\`; do not edit it.
\`adit check-config FILE\` reports everything that is wrong with a file. \`config.schema.json\`, \`edge.schema.json\`,
\`observer.schema.json\` and \`manager.schema.json\` let an editor complete keys: name one of them in
\`"$schema"\`. Relative paths start at the folder of the config file. Unknown keys are an error, so that a mistyped key
is never silently without effect.
`;

/** docs/config.md: every key of the programs. */
export function configPage(): string {
  const parts = [
    head,
    page('A relay: config.json', relayJsonSchema()),
    page('An edge: edge.json', edgeJsonSchema()),
    page('An observer: observer.json', observerJsonSchema()),
    page('A manager: manager.json', managerJsonSchema()),
  ];
  return parts.join('\n');
}

function page(title: string, schema: JsonSchema): string {
  const rows = rowsOf(schema, '').map((cells) => `| ${cells.join(' | ')} |\n`);
  return `## ${title}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

/** Objects give a row for each of their keys; lists of objects too, with [] behind the key. */
function rowsOf(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    if (key === '$schema') return [];
    const path = `${prefix}${key}`;
    const own = [`\`${path}\``, typeOf(property), defaultOf(property, schema, key), escape(property.description ?? '')];
    if (property.properties !== undefined) return rowsOf(property, `${path}.`);
    if (property.items?.properties !== undefined) return [own, ...rowsOf(property.items, `${path}[].`)];
    if (property.items !== undefined) return [own, ...variantRows(property.items, `${path}[]`)];
    return [own, ...variantRows(property, path)];
  });
}

/** A choice of objects: the keys of each, under the choice's name. */
function variantRows(schema: JsonSchema, path: string): string[][] {
  const variants = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(
    (each) => each.oneOf ?? each.anyOf ?? each,
  );
  return variants.flatMap((variant) => {
    const name = ['kind', 'type'].find((key) => variant.properties?.[key]?.const !== undefined);
    if (name === undefined) return [];
    const kind = variant.properties?.[name]?.const;
    return rowsOf(variant, `${path}.`)
      .filter(([key]) => !key?.endsWith(`.${name}\``))
      .map(([key = '', ...rest]) => {
        return [`${key} (${name} ${JSON.stringify(kind)})`, ...rest];
      });
  });
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].filter((type) => type !== 'null').join(' or ');
  const type = [schema.type ?? ''].flat().find((name) => name !== 'null') ?? 'null';
  if (type === 'array') return schema.items === undefined ? 'list' : `list of ${typeOf(schema.items)}`;
  if (type === 'integer' || type === 'number') return numberType(schema);
  return { string: 'text', boolean: 'true or false', object: 'object', null: 'null' }[type] ?? 'anything';
}

function numberType({ type, minimum, maximum }: JsonSchema): string {
  const name = type === 'integer' ? 'whole number' : 'number';
  return minimum === undefined || maximum === undefined ? name : `${name} ${minimum} to ${maximum}`;
}

function defaultOf(schema: JsonSchema, parent: JsonSchema, key: string): string {
  if (schema.default !== undefined) return `\`${escape(JSON.stringify(schema.default))}\``;
  return parent.required?.includes(key) === true ? 'required' : '';
}

function escape(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
