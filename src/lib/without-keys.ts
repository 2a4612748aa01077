/** A copy of an object without some of its keys. */
export function withoutKeys<Value extends object, Key extends keyof Value>(
  value: Value,
  ...keys: readonly Key[]
): Omit<Value, Key> {
  const left: readonly PropertyKey[] = keys;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !left.includes(key))) as Omit<Value, Key>;
}
