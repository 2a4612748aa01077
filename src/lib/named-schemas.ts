interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>;
}

interface Operation {
  readonly operationId?: string;
  readonly requestBody?: Content;
  readonly responses?: Readonly<Record<string, Content>>;
}

interface OpenApi {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: object;
}

/** The one type whose bodies get names. */
const json = 'application/json';

/**
 * An OpenAPI document whose JSON bodies stand under `components.schemas`, so that clients made from it have types with
 * names: `Tunnels` for the answer of `get_tunnels`, `PostTunnelsBody` for what `post_tunnels` takes, `Refusal`.
 */
export function withNamedSchemas(given: object): object {
  // Every part of a document of fastify's is optional, and of one of ours is there.
  const document = given as OpenApi;
  const names = new SchemaNames();
  const paths = mapValues(document.paths ?? {}, (operations) =>
    mapValues(operations, (operation) => named(operation, names)),
  );
  return { ...document, components: { ...document.components, schemas: names.schemas }, paths };
}

function named(operation: Operation, names: SchemaNames): Operation {
  const { operationId = '', requestBody, responses } = operation;
  const name = pascalCase(operationId.replace(/^get_/, ''));
  return {
    ...operation,
    ...(requestBody !== undefined && { requestBody: withReference(requestBody, `${name}Body`, names) }),
    ...(responses !== undefined && {
      responses: mapValues(responses, (response, status) =>
        withReference(response, status.startsWith('4') ? 'Refusal' : name, names),
      ),
    }),
  };
}

function withReference<Body extends Content>(body: Body, name: string, names: SchemaNames): Body {
  const media = body.content?.[json];
  if (media?.schema === undefined) return body;
  return { ...body, content: { ...body.content, [json]: { ...media, schema: names.reference(media.schema, name) } } };
}

/** A schema has one name, and a name one schema. */
class SchemaNames {
  readonly schemas: Record<string, unknown> = {};
  readonly #names = new Map<string, string>();

  reference(schema: unknown, wanted: string): { readonly $ref: string } {
    const text = JSON.stringify(schema);
    let name = this.#names.get(text);
    if (name === undefined) {
      name = this.#free(wanted);
      this.#names.set(text, name);
      this.schemas[name] = schema;
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #free(wanted: string): string {
    let name = wanted;
    for (let number = 2; Object.hasOwn(this.schemas, name); number += 1) name = `${wanted}${number}`;
    return name;
  }
}

function pascalCase(text: string): string {
  return text.replaceAll(/(?:^|_)([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

function mapValues<Value, Mapped>(
  values: Readonly<Record<string, Value>>,
  map: (value: Value, key: string) => Mapped,
): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]));
}
