import type koffi from 'koffi';
import { AppError } from '../lib/app-error.ts';

/**
 * The C library, as far as Node.js has no door of its own: datagrams over UNIX sockets. Calls return what the C
 * functions return, -1 with `errno()` set for a failure. Pointers are those of the koffi package.
 */
export interface Libc {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly send: (fd: number, data: Uint8Array, length: number, flags: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;
  readonly getsockopt: (fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array) => number;
  readonly recvmmsg: (fd: number, messages: unknown, count: number, flags: number, timeout: null) => number;
  readonly calloc: (count: number, size: number) => unknown;
  readonly free: (memory: unknown) => void;
  /** Gives free memory back to the kernel; null where the C library is not glibc. */
  readonly trimMemory: (() => void) | null;
  readonly close: (fd: number) => number;
  readonly prctl: (option: number, value: number, unused3: number, unused4: number, unused5: number) => number;
  /** The number of a system call is the processor's own: `systemCalls`. */
  readonly syscall: (number: number, first: number, second: Uint8Array | null, third: number) => number;
  readonly poll: (descriptors: Uint8Array, count: number, ms: number) => number;
  readonly unshare: (flags: number) => number;
  readonly setns: (fd: number, kind: number) => number;
  readonly clock_gettime: (clock: number, time: Uint8Array) => number;
  /** The bytes behind a pointer, not copied. Not to be used after `free`. */
  readonly view: (memory: unknown, length: number) => ArrayBuffer;
  readonly address: (memory: unknown) => bigint;
  /** Of the last call of this thread. */
  readonly errno: () => number;
}

const declarations = [
  'int socket(int, int, int)',
  'int bind(int, const uint8_t *, uint32_t)',
  'int connect(int, const uint8_t *, uint32_t)',
  'int64_t send(int, const uint8_t *, size_t, int)',
  'int setsockopt(int, int, int, const uint8_t *, uint32_t)',
  'int getsockopt(int, int, int, _Inout_ uint8_t *, _Inout_ uint8_t *)',
  'int recvmmsg(int, void *, unsigned int, int, void *)',
  'void *calloc(size_t, size_t)',
  'void free(void *)',
  'int close(int)',
  'int prctl(int, uint64_t, uint64_t, uint64_t, uint64_t)',
  'int64_t syscall(int64_t, int64_t, const uint8_t *, int64_t)',
  'int poll(_Inout_ uint8_t *, uint64_t, int)',
  'int unshare(int)',
  'int setns(int, int)',
  'int clock_gettime(int, _Out_ uint8_t *)',
] as const;

export const POSIX = {
  AF_UNIX: 1,
  SOCK_DGRAM: 2,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_TYPE: 3,
  SO_RCVBUF: 8,
  SO_PASSCRED: 16,
  SO_RCVTIMEO: 20,
  SO_TIMESTAMPNS: 35,
  MSG_CTRUNC: 0x8,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_WAITFORONE: 0x10000,
  MSG_CMSG_CLOEXEC: 0x40000000,
  CLOCK_REALTIME: 0,
  CLOCK_BOOTTIME: 7,
  CLONE_NEWNET: 0x40000000,
  POLLIN: 1,
  PR_SET_TIMERSLACK: 29,
} as const;

const remedy = 'run `npm ci` without --omit=optional, or use UDP: udp_port';

/**
 * Rejects with AppError `unavailable` where UNIX datagrams cannot be had: another system than Linux on x64 or arm64,
 * or the optional package koffi is not installed.
 */
export async function loadLibc(): Promise<Libc> {
  const { platform, arch } = process;
  if (platform !== 'linux' || !(arch === 'x64' || arch === 'arm64')) {
    const here = `this is ${platform} on ${arch}`;
    throw new AppError('unavailable', `UNIX datagram sockets need Linux on x64 or arm64, ${here}; use UDP: udp_port`);
  }
  const ffi = await loadKoffi();
  const library = ffi.load(null);
  const functions = declarations.map((declaration): [string, unknown] => {
    const name = /(\w+)\(/.exec(declaration)?.[1] ?? '';
    return [name, library.func(declaration)];
  });
  return {
    ...(Object.fromEntries(functions) as unknown as Omit<Libc, 'view' | 'address' | 'errno' | 'trimMemory'>),
    trimMemory: trimOf(library),
    view: (memory, length) => ffi.view(memory, length),
    address: (memory) => ffi.address(memory),
    errno: () => ffi.errno(),
  };
}

/** The C library of Alpine has no malloc_trim. */
function trimOf(library: ReturnType<typeof koffi.load>): (() => void) | null {
  try {
    const trim = library.func('int malloc_trim(size_t)') as (pad: number) => number;
    return () => void trim(0);
  } catch {
    return null;
  }
}

async function loadKoffi(): Promise<typeof koffi> {
  try {
    return (await import('koffi')).default;
  } catch (cause) {
    const reason = 'UNIX datagram sockets need the package koffi, and it cannot be loaded';
    throw new AppError('unavailable', `${reason}; ${remedy}`, { cause });
  }
}
