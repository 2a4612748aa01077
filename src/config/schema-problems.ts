import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { ConfigProblem } from './config-problem.ts';

/** The problems that zod found, each with its path; unknown keys name the nearest known one. */
export function problemsOf(error: z.ZodError, schema: z.ZodType): ConfigProblem[] {
  return withoutFollowUps(error.issues).flatMap((issue) => {
    const path = formatPath(issue.path);
    if (issue.code !== 'unrecognized_keys') return [{ path, ...splitText(wordsOf(issue)) }];
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, ...unknownKey(key, known) }));
  });
}

/**
 * A value of the wrong type gets that problem alone: zod also compares the length of a text with what a list may have.
 */
function withoutFollowUps(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const mistyped = new Set(issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => formatPath(path)));
  return issues.filter(({ code, path }) => code === 'invalid_type' || !mistyped.has(formatPath(path)));
}

const shapes: ReadonlyMap<string, string> = new Map([
  ['array', 'a list: […]'],
  ['object', 'an object: {…}'],
]);

/** zod's own words for what has the wrong shape are for programmers. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) return issue.message;
  const shape = shapes.get(issue.expected) ?? issue.expected;
  return issue.message.endsWith('undefined') ? `is missing; it must be ${shape}` : `must be ${shape}`;
}

/** Our schemas write `problem; remedy`. */
function splitText(message: string): Omit<ConfigProblem, 'path'> {
  const [problem = '', ...remedy] = message.split('; ');
  return { problem, remedy: remedy.join('; ') };
}

function unknownKey(key: string, known: readonly string[]): Omit<ConfigProblem, 'path'> {
  const nearest = known.length === 0 ? null : closest(key, known);
  const isNear = nearest !== null && distance(key, nearest) <= Math.max(2, Math.ceil(key.length / 2));
  const remedy = isNear ? `did you mean "${nearest}"?` : 'remove it; docs/config.md lists every key';
  return { problem: 'is not a known key', remedy };
}

/** The keys of the object that the path leads to; none where the path leads into a choice of objects. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: z.ZodType | undefined = schema;
  for (const part of path) {
    const inner = unwrap(current);
    if (inner instanceof z.ZodUnion) current = memberWith(inner, String(part));
    else if (inner instanceof z.ZodObject) current = (inner.shape as Record<string, z.ZodType>)[String(part)];
    else if (inner instanceof z.ZodArray) current = inner.element as z.ZodType;
    else return [];
  }
  const target = unwrap(current);
  if (target instanceof z.ZodUnion) return [...new Set(target.options.flatMap((each) => keysOf(each as z.ZodType)))];
  return keysOf(target);
}

function keysOf(schema: z.ZodType | undefined): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** The key's schema in the first choice that has the key. */
function memberWith({ options }: z.ZodUnion, key: string): z.ZodType | undefined {
  const shapes = options.flatMap((each) =>
    each instanceof z.ZodObject ? [each.shape as Record<string, z.ZodType>] : [],
  );
  return shapes.find((shape) => shape[key] !== undefined)?.[key];
}

/** The schema inside defaults, optionals, preprocessing and transformations. */
function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  let current = schema;
  for (;;) {
    if (
      current instanceof z.ZodDefault ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodOptional ||
      current instanceof z.ZodNullable
    ) {
      current = current.unwrap() as z.ZodType;
    } else if (current instanceof z.ZodPipe) {
      current = (current.in instanceof z.ZodTransform ? current.out : current.in) as z.ZodType;
    } else {
      return current;
    }
  }
}

function formatPath(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
  return parts.join('').replace(/^\./, '');
}
