import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editJson } from '../../../src/config/json-edit.ts';

const written = `{
    "quic_addrs": [ "0.0.0.0:4433" ],   "weight": 1.50e1,

    "manager": {
        "url": "wss://m/ws/node", "note": "a \\"}\\" b",
        "registration_token": "tok"
    },
    "last": { }
}
`;

describe('an edit of JSON text', () => {
  it('changes its own keys and no other byte', () => {
    const edited = editJson(written, [
      { path: ['manager', 'node_id'], value: 'n-1' },
      { path: ['manager', 'registration_token'], value: undefined },
    ]);
    expect(edited).toBe(`{
    "quic_addrs": [ "0.0.0.0:4433" ],   "weight": 1.50e1,

    "manager": {
        "url": "wss://m/ws/node", "note": "a \\"}\\" b",
        "node_id": "n-1"
    },
    "last": { }
}
`);
  });

  it('replaces a value in its place', () => {
    expect(editJson('{"a": 1,"b":{"c":[1,2]} }', [{ path: ['b', 'c'], value: 'x' }])).toBe('{"a": 1,"b":{"c":"x"} }');
  });

  it('removes the first, a middle, the last and the only key', () => {
    const remove = (text: string, key: string) => editJson(text, [{ path: [key], value: undefined }]);
    expect(remove('{ "a": 1, "b": 2, "c": 3 }', 'a')).toBe('{ "b": 2, "c": 3 }');
    expect(remove('{ "a": 1, "b": 2, "c": 3 }', 'b')).toBe('{ "a": 1, "c": 3 }');
    expect(remove('{ "a": 1, "b": 2, "c": 3 }', 'c')).toBe('{ "a": 1, "b": 2 }');
    expect(JSON.parse(remove('{ "a": 1 }', 'a'))).toEqual({});
    expect(remove('{ "a": 1 }', 'z')).toBe('{ "a": 1 }');
  });

  it('makes the objects on the way to a new key, in the indentation of the text', () => {
    expect(editJson('{\n  "a": 1\n}\n', [{ path: ['manager', 'node_id'], value: 'n' }])).toBe(
      '{\n  "a": 1,\n  "manager": {\n    "node_id": "n"\n  }\n}\n',
    );
    expect(editJson('{}', [{ path: ['a'], value: 1 }])).toBe('{\n  "a": 1\n}');
  });

  it('takes the last of a repeated key, as the parser does', () => {
    expect(editJson('{"a":1,"a":2}', [{ path: ['a'], value: 3 }])).toBe('{"a":1,"a":3}');
  });

  it('refuses what is not JSON or not an object on the way', () => {
    expect(() => editJson('{"a":', [{ path: ['a'], value: 1 }])).toThrow(SyntaxError);
    expect(() => editJson('[1]', [{ path: ['a'], value: 1 }])).toThrow(TypeError);
    expect(() => editJson('{"a":1}', [{ path: ['a', 'b'], value: 1 }])).toThrow(TypeError);
  });

  it('means the same as the edit of the parsed value, for any object and layout', () => {
    const object = fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 });
    fc.assert(
      fc.property(
        object,
        fc.string({ maxLength: 4 }),
        fc.option(fc.jsonValue()),
        fc.constantFrom(0, 2, '\t'),
        (before, key, value, indent) => {
          fc.pre(key !== '__proto__' && !Object.hasOwn(before, '__proto__'));
          const text = JSON.stringify(before, null, indent);
          const edited = JSON.parse(editJson(text, [{ path: [key], value: value ?? undefined }])) as object;
          const expected = new Map(Object.entries(JSON.parse(text) as object));
          expected.delete(key);
          if (value !== null) expected.set(key, JSON.parse(JSON.stringify(value)));
          expect(edited).toEqual(Object.fromEntries(expected));
        },
      ),
    );
  });
});
