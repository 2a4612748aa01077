import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';

/** Root may mount at once; anybody else as the root of a user namespace of its own. */
const ownMounts = process.getuid?.() === 0 ? ['unshare', '--mount'] : ['unshare', '--map-root-user', '--mount'];
const diskBytes = 64 * 1024;

/** Whether this machine lets a test have a disk of its own; prints why a test is left out. */
export function canHaveSmallDisk(): boolean {
  const [unshare = '', ...flags] = ownMounts;
  const can = spawnSync(unshare, [...flags, 'true']).status === 0;
  if (!can) process.stdout.write('no namespace of mounts can be had: tests with a full disk are left out\n');
  return can;
}

/** Starts a program with a disk of 64 KiB of its own at `path`, which ends with it. */
export function withSmallDisk(path: string): readonly string[] {
  const script = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"';
  return [...ownMounts, 'sh', '-c', script, 'sh', String(diskBytes), path];
}

/** A file as the program with this number sees it, on its disk. */
export function insideOf(pid: number | undefined, path: string): string {
  return `/proc/${String(pid)}/root${path}`;
}

/** Takes all room that is left, down to the last byte. */
export function fill(path: string): void {
  for (let size = 4096; size >= 1;) {
    try {
      writeFileSync(path, new Uint8Array(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      size = Math.floor(size / 2);
    }
  }
}
