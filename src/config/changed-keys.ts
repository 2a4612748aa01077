import { isDeepStrictEqual } from 'node:util';

/** The keys in which two configs differ, with dots between levels; a list is one value. In the order of `next`. */
export function changedKeys(current: object, next: object, prefix = ''): string[] {
  const before = new Map<string, unknown>(Object.entries(current));
  const after = new Map<string, unknown>(Object.entries(next));
  return [...new Set([...after.keys(), ...before.keys()])].flatMap((key) => {
    const old = before.get(key);
    const fresh = after.get(key);
    if (isDeepStrictEqual(old, fresh)) return [];
    return isPlain(old) && isPlain(fresh) ? changedKeys(old, fresh, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
