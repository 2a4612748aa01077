/** What to do about an address that cannot be bound, by the system's error code; null where the code says no more. */
export function bindAdvice(error: unknown): string | null {
  const code = codeOf(error);
  return code === undefined ? null : (advice[code] ?? null);
}

const advice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has it: stop that one (ss -lntup lists them), or choose another port',
  EACCES: 'ports below 1024 need the right CAP_NET_BIND_SERVICE: give it, or choose a port from 1024',
  EADDRNOTAVAIL: 'no interface of this machine has that address now: choose another, or bring the interface up',
  EAFNOSUPPORT: 'this machine has no IPv6: leave the address out',
};

/** The code of the innermost cause that has one of the system's codes. */
function codeOf(error: unknown): string | undefined {
  let code: string | undefined;
  const seen = new Set<unknown>();
  for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    seen.add(cause);
    if ('code' in cause && typeof cause.code === 'string' && cause.code in advice) ({ code } = cause);
  }
  return code;
}
