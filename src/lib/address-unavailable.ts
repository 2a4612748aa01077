import { AppError, type AppErrorCode } from './app-error.ts';

interface Reason {
  readonly problem: string;
  readonly remedy: string;
}

/** By the system's error code: why an address cannot be had, and what to do. */
const reasons: Readonly<Record<string, Reason>> = {
  EADDRINUSE: {
    problem: 'another program has it',
    remedy: 'stop that one (ss -lntup lists them), or choose another port',
  },
  EACCES: {
    problem: 'this program may not take it',
    remedy:
      'ports below 1024 need CAP_NET_BIND_SERVICE: as AmbientCapabilities in the systemd unit (docs/install.md, ' +
      '"UDP 443"), or by setcap on the node program; or choose a port from 1024',
  },
  EADDRNOTAVAIL: {
    problem: 'no interface of this machine has that address now',
    remedy: 'choose one that "ip addr" lists, or bring its interface up',
  },
  EAFNOSUPPORT: { problem: 'this machine has no IPv6', remedy: 'leave the address out' },
};

/** An error with the attempt (`cannot listen on …`), its cause and the remedy. */
export function addressUnavailable(
  attempt: string,
  cause: unknown,
  code: AppErrorCode = 'address-unavailable',
): AppError {
  const systemCode = systemCodeOf(cause);
  const reason = systemCode === undefined ? undefined : reasons[systemCode];
  // The system's own words would repeat it.
  if (reason === undefined) return new AppError(code, attempt, { cause });
  return new AppError(code, `${attempt}: ${reason.problem} (${systemCode}); ${reason.remedy}`);
}

/** The code of the innermost cause that has one of the system's codes. */
function systemCodeOf(error: unknown): string | undefined {
  let code: string | undefined;
  const seen = new Set<unknown>();
  for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    seen.add(cause);
    if ('code' in cause && typeof cause.code === 'string' && Object.hasOwn(reasons, cause.code)) ({ code } = cause);
  }
  return code;
}
