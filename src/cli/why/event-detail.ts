/** A detail of an event that is text; undefined for one that is not there, or is something else. */
export function textOf(details: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const value = details?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
