import { describe, expect, it } from 'vitest';
import { planRelease, type ReleaseState } from '../../../tools/release-plan.ts';

const ready: ReleaseState = {
  version: '0.2.0',
  date: '2026-12-01',
  branch: 'main',
  status: '',
  tags: ['v0.1.0'],
  files: {
    'package.json': '{ "name": "adit", "version": "0.1.0", "dependencies": { "ws": "0.1.0" } }',
    'package-lock.json':
      '{ "version": "0.1.0", "packages": { "": { "version": "0.1.0" }, "node_modules/ws": { "version": "0.1.0" } } }',
    'CHANGELOG.md':
      '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A relay.\n\n## [0.1.0] - 2026-11-01\n\n- An edge.\n',
  },
};

describe('a release', () => {
  it('puts its version where the program has it, and nowhere else', () => {
    expect(planRelease(ready)).toEqual({
      kind: 'ready',
      notes: '### Added\n\n- A relay.',
      files: {
        'package.json': '{ "name": "adit", "version": "0.2.0", "dependencies": { "ws": "0.1.0" } }',
        'package-lock.json':
          '{ "version": "0.2.0", "packages": { "": { "version": "0.2.0" }, "node_modules/ws": { "version": "0.1.0" } } }',
        'CHANGELOG.md':
          '# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A relay.\n\n## [0.1.0] - 2026-11-01\n\n- An edge.\n',
      },
    });
  });

  it.each<[string, Partial<ReleaseState>, string]>([
    ['no version', { version: 'next' }, '"next" is not a version such as 1.2.3'],
    ['an old version', { version: '0.0.9' }, '0.0.9 is not newer than 0.1.0'],
    ['the same version', { version: '0.1.0', tags: [] }, '0.1.0 is not newer than 0.1.0'],
    ['another branch', { branch: 'topic' }, 'this is branch topic; a release is made from main'],
    ['changes', { status: ' M README.md' }, 'there are changes that are not committed'],
    ['a tag that exists', { tags: ['v0.2.0'] }, 'the tag v0.2.0 exists already'],
    [
      'a changelog without news',
      { files: { ...ready.files, 'CHANGELOG.md': '# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-01\n' } },
      'CHANGELOG.md has nothing under "## [Unreleased]"',
    ],
  ])('is refused with %s', (_, change, problem) => {
    expect(planRelease({ ...ready, ...change })).toEqual({ kind: 'refused', problems: [problem] });
  });

  it('names everything that is wrong at once', () => {
    const plan = planRelease({ ...ready, branch: 'topic', status: '?? x', version: '1' });
    expect(plan).toMatchObject({ kind: 'refused', problems: { length: 3 } });
  });
});
