/** What a release changes in the repository's files, by path. */
export type ReleaseFiles = Readonly<Record<'package.json' | 'package-lock.json' | 'CHANGELOG.md', string>>;

export type ReleasePlan =
  | { readonly kind: 'ready'; readonly files: ReleaseFiles; readonly notes: string }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface ReleaseState {
  /** Such as `0.2.0`. */
  readonly version: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly branch: string;
  /** The output of `git status --porcelain`. */
  readonly status: string;
  readonly tags: readonly string[];
  readonly files: ReleaseFiles;
}

const unreleased = '## [Unreleased]';

/** Whether this state may be released as `version`, and the files with the new version in them. */
export function planRelease(state: ReleaseState): ReleasePlan {
  const { version, date, files } = state;
  const current = versionOf(files['package.json']);
  const notes = unreleasedNotes(files['CHANGELOG.md']);
  const problems = [
    ...(isVersion(version) ? [] : [`"${version}" is not a version such as 1.2.3`]),
    ...(isVersion(version) && !isNewer(version, current) ? [`${version} is not newer than ${current}`] : []),
    ...(state.branch === 'main' ? [] : [`this is branch ${state.branch}; a release is made from main`]),
    ...(state.status === '' ? [] : ['there are changes that are not committed']),
    ...(state.tags.includes(`v${version}`) ? [`the tag v${version} exists already`] : []),
    ...(notes === '' ? [`CHANGELOG.md has nothing under "${unreleased}"`] : []),
  ];
  if (problems.length > 0) return { kind: 'refused', problems };
  const changelog = files['CHANGELOG.md'].replace(unreleased, `${unreleased}\n\n## [${version}] - ${date}`);
  return {
    kind: 'ready',
    notes,
    files: {
      'package.json': withVersion(files['package.json'], version),
      'package-lock.json': withLockedVersion(files['package-lock.json'], version),
      'CHANGELOG.md': changelog,
    },
  };
}

function versionOf(packageJson: string): string {
  return (JSON.parse(packageJson) as { version: string }).version;
}

function withVersion(packageJson: string, version: string): string {
  return packageJson.replace(/("version": ")[^"]*/, `$1${version}`);
}

/** The lock file has the version twice before the first package of others. */
function withLockedVersion(lock: string, version: string): string {
  const end = lock.indexOf('"node_modules/');
  const own = lock.slice(0, end).replaceAll(/("version": ")[^"]*/g, `$1${version}`);
  return `${own}${lock.slice(end)}`;
}

function unreleasedNotes(changelog: string): string {
  const start = changelog.indexOf(unreleased);
  if (start < 0) return '';
  const rest = changelog.slice(start + unreleased.length);
  const end = rest.indexOf('\n## ');
  return (end < 0 ? rest : rest.slice(0, end)).trim();
}

function isVersion(text: string): boolean {
  return /^\d+\.\d+\.\d+$/.test(text);
}

function isNewer(version: string, current: string): boolean {
  const [a, b] = [version, current].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const index = a.findIndex((part, at) => part !== b[at]);
  return index >= 0 && (a[index] ?? 0) > (b[index] ?? 0);
}
