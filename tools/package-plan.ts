import { createHash } from 'node:crypto';

/** Of the tree that is in git: what a user of the package needs. */
export const shippedPaths = [
  ...['bin', 'src', 'web', 'contrib', 'docs', 'examples', 'native/npm/linux-x64-gnu', 'native/boundary.txt'],
  ...['LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'config.json', 'package.json'],
  ...['config.schema.json', 'edge.schema.json', 'manager.schema.json', 'observer.schema.json'],
] as const;

/** Below them what stays out: pictures of the manager's pages, which the web shows, and what makes the package. */
const unshippedPaths = ['docs/img', 'contrib/debian'] as const;

/** Whether a file of the tree goes into the package. */
export function isShipped(path: string): boolean {
  const isIn = (paths: readonly string[]): boolean => paths.some((at) => path === at || path.startsWith(`${at}/`));
  return isIn(shippedPaths) && !isIn(unshippedPaths);
}

/** A version that a file name, a Debian package and a folder can have. */
const plainVersion = /^\d+\.\d+\.\d+(?:[-+~.][0-9A-Za-z.]+)?$/;

const packageKinds = ['tar', 'deb', 'library'] as const;
export type PackageKind = (typeof packageKinds)[number];

/** What is to be made; all of it unless `--only` names one. */
export interface PackageWish {
  readonly version: string;
  readonly only: string | undefined;
}

/** Why no package can be made here; null when one can. */
export function packageRefusal({ version, only }: PackageWish, platform: string, architecture: string): string | null {
  if (!plainVersion.test(version)) return `--as ${version}: must be a version such as 1.2.3`;
  if (only !== undefined && !packageKinds.some((kind) => kind === only)) {
    return `--only ${only}: must be one of ${packageKinds.join(', ')}`;
  }
  if (only === 'library') return null;
  if (platform === 'linux' && architecture === 'x64') return null;
  return `packages are made on Linux x64, and this is ${platform} ${architecture}; docs/install.md says how to install here`;
}

/** What `sha256sum -c` reads. */
export function digestLines(names: readonly string[], read: (name: string) => Uint8Array): string {
  return names.map((name) => `${createHash('sha256').update(read(name)).digest('hex')}  ${name}\n`).join('');
}
