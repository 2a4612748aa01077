import { METHODS } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpenApiDocument, type DocumentedRequest } from '../../support/openapi-document.ts';
import { RestClient } from '../../support/peers/rest-client.ts';
import { startRestWorld } from '../../support/programs/rest-world.ts';

const apiToken = 'the-token-of-this-test-is-long-enough';
const methods = METHODS.filter((method) => method !== 'CONNECT');
const badPercents = ['%', '%zz', '%ff%fe', 'a%0'];
const noHeaders = {};

interface Subject {
  readonly document: OpenApiDocument;
  readonly client: RestClient;
  readonly apiToken: string | null;
  /** Ids of tunnels in several states, and of a flow. */
  readonly ids: readonly string[];
}

const worlds = [
  { name: 'a relay without a token', program: 'relay', token: null },
  { name: 'a relay with a token', program: 'relay', token: apiToken },
  { name: 'an edge without a token', program: 'edge', token: null },
  { name: 'an edge with a token', program: 'edge', token: apiToken },
] as const;

describe.each(worlds)('the REST API of $name', ({ program, token }) => {
  it('keeps every promise of its document, and answers nothing that is not in it', async () => {
    await using world = await startRestWorld(token);
    using client = new RestClient(world.addresses[program]);
    const document = new OpenApiDocument(await readDocument(client, token));
    const subject: Subject = { document, client, apiToken: token, ids: [...world.tunnelIds, world.flowId] };
    // 503 needs a program that is not well.
    expect(await sweep(subject)).toEqual(
      document
        .promises()
        .filter((promise) => !promise.endsWith(' 503'))
        .toSorted(),
    );
    await fc.assert(
      fc.asyncProperty(requests(subject), async (request) => {
        const answer = await client.ask(request);
        expect({ request, answer, faults: document.faults(request, answer) }).toMatchObject({ faults: [] });
      }),
      { numRuns: 300 },
    );
    expect(world.errors()).toEqual([]);
  });
});

async function readDocument(client: RestClient, token: string | null): Promise<unknown> {
  const headers = token === null ? noHeaders : { authorization: `Bearer ${token}` };
  return JSON.parse((await client.ask({ method: 'GET', path: '/api/v1/openapi.json', headers, body: null })).body);
}

/** Each operation for each tunnel, with and without the token. Answers what was seen, sorted. */
async function sweep({ document, client, apiToken: token, ids }: Subject): Promise<readonly string[]> {
  const seen = new Set<string>();
  const tokens = token === null ? [null] : ['wrong', token];
  for (const template of document.templates) {
    for (const method of ['GET', 'DELETE']) {
      for (const id of template.includes('{') ? [...ids, 'nonsense'] : ['']) {
        for (const given of tokens) {
          const request: DocumentedRequest = {
            method,
            template,
            id,
            path: template.replace(/\{\w+\}/, () => id),
            headers: given === null ? noHeaders : { authorization: `Bearer ${given}` },
            body: null,
            authorised: given === token,
          };
          const answer = await client.ask(request);
          expect({ request, answer, faults: document.faults(request, answer) }).toMatchObject({ faults: [] });
          if (answer.status !== 405) seen.add(`${method.toLowerCase()} ${template} ${answer.status}`);
        }
      }
    }
  }
  return [...seen].toSorted();
}

/** Requests to the paths of the document: what it asks for, and what it does not. */
function requests({ document, apiToken: token, ids }: Subject): fc.Arbitrary<DocumentedRequest> {
  const known = fc.constantFrom(...ids);
  const id = fc.oneof(
    {
      arbitrary: fc.oneof(
        known,
        known.map((text) => text.toUpperCase().replaceAll('-', '')),
      ),
      weight: 3,
    },
    fc.stringMatching(document.idPattern),
    fc.string({ unit: 'binary', maxLength: 400 }),
  );
  const segment = fc.oneof(
    { arbitrary: id.map((text) => ({ id: text, segment: encodeURIComponent(text.toWellFormed()) })), weight: 5 },
    fc.constantFrom(...badPercents).map((text) => ({ id: null, segment: text })),
  );
  return fc
    .record({
      template: fc.constantFrom(...document.templates),
      method: fc.oneof({ arbitrary: fc.constantFrom('GET', 'HEAD', 'DELETE'), weight: 4 }, fc.constantFrom(...methods)),
      segment,
      query: fc.oneof(
        fc.constant(''),
        fc.string().map((text) => `?x=${encodeURIComponent(text.toWellFormed())}`),
      ),
      authorization: authorizations(token),
      headers: fc.record(
        {
          accept: fc.constantFrom('text/html', 'application/xml', '*/*', 'nonsense'),
          'content-type': fc.constantFrom('application/json', 'text/xml', 'multipart/form-data', 'nonsense'),
          'x-http-method-override': fc.constantFrom('DELETE', 'POST'),
          'x-anything': fc.stringMatching(/^[!-~]{0,4000}$/),
        },
        { requiredKeys: [] },
      ),
      body: fc.option(fc.string({ maxLength: 20_000 }), { freq: 2 }),
    })
    .map(({ template, method, segment: { id: text, segment: encoded }, query, authorization, headers, body }) => ({
      template,
      method,
      id: template.includes('{') ? text : '',
      path: template.replace(/\{\w+\}/, () => encoded) + query,
      headers: { ...headers, ...(authorization !== null && { authorization }) },
      body,
      authorised: token !== null && authorization === `Bearer ${token}`,
    }));
}

function authorizations(token: string | null): fc.Arbitrary<string | null> {
  const wrong = fc.oneof(fc.constantFrom('Bearer', 'Basic YTpi', 'Bearer x'), fc.stringMatching(/^[!-~]{1,200}$/));
  return token === null
    ? fc.option(wrong)
    : fc.oneof({ arbitrary: fc.constant(`Bearer ${token}`), weight: 3 }, fc.option(wrong));
}
