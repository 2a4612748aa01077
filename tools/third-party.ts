import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const repository = join(import.meta.dirname, '..');

/** A package of others that is installed with Adit or linked into its engine. */
export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, such as `MIT OR Apache-2.0`. */
  readonly licence: string;
  /** The folder of its sources; null where they are not on this machine. */
  readonly folder: string | null;
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

interface CargoMetadata {
  readonly packages: readonly {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly license: string | null;
    readonly manifest_path: string;
  }[];
  readonly resolve: {
    readonly root: string;
    readonly nodes: readonly {
      readonly id: string;
      readonly deps: readonly {
        readonly pkg: string;
        readonly dep_kinds: readonly { readonly kind: string | null }[];
      }[];
    }[];
  };
}

/** The npm packages that `npm ci --omit=dev` installs on some platform, by name and version. */
export function npmPackages(): readonly ThirdParty[] {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const found = Object.entries(lock.packages).flatMap(([path, entry]): ThirdParty[] => {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    if (name === undefined || entry.dev === true || entry.link === true) return [];
    const folder = join(repository, path);
    return [
      {
        name,
        version: entry.version ?? '',
        licence: entry.license ?? 'unknown',
        folder: existsSync(folder) ? folder : null,
      },
    ];
  });
  return sorted(found);
}

/** The crates that become part of native/adit-native.node on Linux; needs cargo. Throws where cargo fails. */
export function crates(): readonly ThirdParty[] {
  const platform = '--filter-platform=x86_64-unknown-linux-gnu';
  const json = execFileSync('cargo', ['metadata', '--format-version=1', '--locked', platform], {
    cwd: join(repository, 'native'),
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { packages, resolve } = JSON.parse(json) as CargoMetadata;
  const linked = new Set<string>();
  const follow = (id: string): void => {
    if (linked.has(id)) return;
    linked.add(id);
    const node = resolve.nodes.find((each) => each.id === id);
    for (const { pkg, dep_kinds } of node?.deps ?? []) if (dep_kinds.some(({ kind }) => kind === null)) follow(pkg);
  };
  follow(resolve.root);
  linked.delete(resolve.root);
  return sorted(
    packages
      .filter(({ id }) => linked.has(id))
      .map(({ name, version, license, manifest_path }) => ({
        name,
        version,
        licence: (license ?? 'unknown').replaceAll('/', ' OR '),
        folder: dirname(manifest_path),
      })),
  );
}

/** What stands in a package's licence files, copyright lines included; empty where it has none. */
export function licenceTexts({ folder }: ThirdParty): readonly string[] {
  if (folder === null) return [];
  return readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice|copyright)/i.test(name))
    .toSorted()
    .map((name) => readFileSync(join(folder, name), 'utf8').trim());
}

function sorted(packages: readonly ThirdParty[]): readonly ThirdParty[] {
  const byKey = new Map(packages.map((each) => [`${each.name} ${each.version}`, each]));
  return [...byKey.values()].toSorted((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** By code points: the same order in every locale. */
function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
