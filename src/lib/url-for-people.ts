/** Where a URL leads, for people: no user, no password, no query. */
export function urlForPeople(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
