/** The headers of a browser about the origin of a request. */
export interface RequestOrigin {
  /** `Sec-Fetch-Site`; absent in old browsers and other clients. */
  readonly fetchSite: string | undefined;
  readonly origin: string | undefined;
  /** The `Host` header, or the one that the proxy in front reports. */
  readonly host: string | undefined;
}

/**
 * Whether a request with a cookie was made by our own page: `Sec-Fetch-Site` decides where it is sent, else `Origin`
 * must be our own. A request with neither header proves nothing and is refused.
 */
export function isOwnSite({ fetchSite, origin, host }: RequestOrigin, publicUrl: string | null): boolean {
  if (fetchSite !== undefined) return fetchSite === 'same-origin' || fetchSite === 'none';
  if (origin === undefined) return false;
  const asked = URL.parse(origin);
  if (asked === null) return false;
  const allowed = [host, publicUrl === null ? undefined : URL.parse(publicUrl)?.host];
  return allowed.some((own) => own?.toLowerCase() === asked.host);
}
