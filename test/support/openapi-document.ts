import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { refusalSchema } from '../../src/admin/route.ts';
import type { RestAnswer, RestRequest } from './peers/rest-client.ts';

const operationSchema = z.object({
  tags: z.array(z.string()),
  security: z.array(z.unknown()).optional(),
  parameters: z
    .array(
      z.discriminatedUnion('name', [
        z.object({ in: z.literal('path'), name: z.literal('id'), schema: z.object({ pattern: z.string() }) }),
        z.object({
          in: z.literal('path'),
          name: z.enum(['flow_id', 'output_id', 'session_id']),
          schema: z.object({ type: z.literal('string') }),
        }),
      ]),
    )
    .default([]),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) })),
});

const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

type Operation = z.output<typeof operationSchema>;

/** An operation of the document with the request that a test made of it. */
export interface DocumentedRequest extends RestRequest {
  /** As the document writes it, with `{id}` or `{flow_id}`. */
  readonly template: string;
  /** What stands for that, decoded; null when it cannot be. */
  readonly id: string | null;
  readonly authorised: boolean;
}

/** The schema that a reference names, or the schema itself. */
function resolved(schema: unknown, named: Readonly<Record<string, unknown>>): object {
  const reference = z.object({ $ref: z.templateLiteral(['#/components/schemas/', z.string()]) }).safeParse(schema);
  if (!reference.success) return z.record(z.string(), z.unknown()).parse(schema);
  return z.record(z.string(), z.unknown()).parse(named[reference.data.$ref.split('/').at(-1) ?? '']);
}

function isRtc({ tags }: Operation): boolean {
  return tags.includes('webrtc');
}

/**
 * A program's OpenAPI document as the judge of its answers. Every schema in it must be a JSON Schema of draft 2020-12.
 */
export class OpenApiDocument {
  readonly #paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(json: unknown) {
    const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
    addFormats.default(ajv);
    const { paths, components } = documentSchema.parse(json);
    this.#paths = paths;
    for (const { template, method, operation } of this.#operations()) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        for (const [type, { schema }] of Object.entries(content)) {
          this.#validators.set(
            `${method} ${template} ${status} ${type}`,
            ajv.compile(resolved(schema, components.schemas)),
          );
        }
      }
    }
  }

  /** But for those of WebRTC, which take SDP and have tokens of their own. */
  get templates(): readonly string[] {
    return [...new Set(this.#operations().flatMap(({ template, operation }) => (isRtc(operation) ? [] : [template])))];
  }

  /** The pattern of `{id}`, which is one for all paths. */
  get idPattern(): RegExp {
    const patterns = new Set(
      this.#operations().flatMap(({ operation }) =>
        operation.parameters.flatMap((parameter) => (parameter.name === 'id' ? [parameter.schema.pattern] : [])),
      ),
    );
    const [pattern, ...others] = patterns;
    if (pattern === undefined || others.length > 0) throw new Error(`patterns of id: ${[...patterns].join(', ')}`);
    return new RegExp(pattern);
  }

  /** `method path status` of each answer that it promises, of WebRTC or of the rest. */
  promises(of: 'webrtc' | 'rest' = 'rest'): readonly string[] {
    return this.#operations()
      .filter(({ operation }) => isRtc(operation) === (of === 'webrtc'))
      .flatMap(({ template, method, operation }) =>
        Object.keys(operation.responses).map((status) => `${method} ${template} ${status}`),
      );
  }

  /** What is wrong with an answer that may have any documented status, in words. */
  answerFaults(method: string, template: string, answer: RestAnswer): readonly string[] {
    return this.#bodyFaults(`${method} ${template}`, answer);
  }

  /** What is wrong with an answer, in words; empty when it keeps to the document. */
  faults(request: DocumentedRequest, answer: RestAnswer): readonly string[] {
    const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
    const operation = this.#paths[request.template]?.[method];
    if (request.id === null) return [...expectStatus([400], answer), ...refusalFaults(request, answer)];
    if (operation === undefined) return this.#faultsOfUndocumented(request, answer);
    return [
      ...expectStatus(this.#allowedStatuses(operation, request.id, request.authorised), answer),
      ...(request.method === 'HEAD' ? expectNoBody(answer) : this.#bodyFaults(`${method} ${request.template}`, answer)),
    ];
  }

  #operations(): readonly { readonly template: string; readonly method: string; readonly operation: Operation }[] {
    return Object.entries(this.#paths).flatMap(([template, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ template, method, operation })),
    );
  }

  #allowedStatuses(operation: Operation, id: string, authorised: boolean): readonly number[] {
    const documented = Object.keys(operation.responses).map(Number);
    const guarded = operation.security !== undefined;
    if (guarded && !authorised) return [401];
    const forbidden = documented.includes(403) && !guarded;
    if (forbidden) return [403];
    const isRead = operation.parameters.every(({ name }) => name !== 'id') || this.idPattern.test(id);
    return isRead ? documented.filter((status) => ![401, 403].includes(status)) : [400];
  }

  #faultsOfUndocumented(request: DocumentedRequest, answer: RestAnswer): string[] {
    const documented = Object.keys(this.#paths[request.template] ?? {}).map((name) => name.toUpperCase());
    const allow = (documented.includes('GET') ? ['HEAD', ...documented] : documented).toSorted().join();
    const given = (answer.headers.allow ?? '').split(', ').toSorted().join();
    return [
      ...expectStatus([405], answer),
      ...(given === allow ? [] : [`allow is ${given}, not ${allow}`]),
      ...refusalFaults(request, answer),
    ];
  }

  #bodyFaults(operation: string, { status, headers, body }: RestAnswer): readonly string[] {
    const type = headers['content-type']?.split(';')[0] ?? 'no content-type';
    const validate = this.#validators.get(`${operation} ${status} ${type}`);
    if (validate === undefined) return [`undocumented: ${status} ${type} ${body}`];
    const value = type === 'application/json' ? parseJson(body) : body;
    return validate(value)
      ? []
      : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
  }
}

function expectStatus(allowed: readonly number[], { status }: RestAnswer): string[] {
  return allowed.includes(status) ? [] : [`status ${status}, not ${allowed.join(' or ')}`];
}

/** Refusals that the document does not list, because they are of no operation. */
function refusalFaults({ method }: RestRequest, answer: RestAnswer): string[] {
  if (method === 'HEAD') return expectNoBody(answer);
  const isRefusal =
    answer.headers['content-type'] === 'application/json; charset=utf-8' &&
    refusalSchema.strict().safeParse(parseJson(answer.body)).success;
  return isRefusal ? [] : [`not a refusal: ${answer.headers['content-type'] ?? ''} ${answer.body}`];
}

function expectNoBody({ body }: RestAnswer): string[] {
  return body === '' ? [] : [`HEAD has a body: ${body}`];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return `not JSON: ${text}`;
  }
}
