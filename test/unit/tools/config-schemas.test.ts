import { describe, expect, it } from 'vitest';
import { edgeJsonSchema, relayJsonSchema, type JsonSchema } from '../../../tools/config-schemas.ts';

/** Every key, with where it is, that an editor would show without a word of explanation. */
function unexplained(schema: JsonSchema, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const own = property.properties === undefined ? [property] : [];
    const silent = own.filter(({ description }) => description === undefined && key !== '$schema' && key !== 'kind');
    const inner = [property, property.items ?? {}].flatMap((each) => unexplained(each, `${path}${key}.`));
    return [...silent.map(() => `${path}${key}`), ...inner];
  });
}

describe('the JSON Schemas of the config files', () => {
  it('explain every key', () => {
    expect(unexplained(relayJsonSchema())).toEqual([]);
    expect(unexplained(edgeJsonSchema())).toEqual([]);
  });

  it('take the keys of existing installations', () => {
    expect(relayJsonSchema().properties).toMatchObject({
      quic_addr: { deprecated: true },
      api_addr: {},
      distribution: {},
    });
    expect(relayJsonSchema().properties?.['manager']?.properties).toHaveProperty('url');
  });

  it('know what a tunnel of an edge needs', () => {
    expect(edgeJsonSchema().properties?.['tunnels']?.items?.required).toEqual([
      'id',
      'name',
      'protocol',
      'direction',
      'local_addr',
      'tunnel_encryption_key',
    ]);
  });
});
