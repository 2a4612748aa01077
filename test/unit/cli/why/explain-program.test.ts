import { describe, expect, it } from 'vitest';
import { managerFacts, type ManagerFacts, type ProgramFacts } from '../../../../src/admin/program-facts.ts';
import { explainProgram } from '../../../../src/cli/why/explain-program.ts';

const well: ProgramFacts = { program: 'relay', faults: [], machine: [], manager: null };
const url = 'wss://manager.example/ws/node';

function managed(changes: Partial<ManagerFacts>): ProgramFacts {
  const manager = { connected: false, url, down_secs: 180, refused: false, last_problem: null, ...changes };
  return { ...well, manager };
}

describe('what adit why says of a program itself', () => {
  it('is nothing while all is well', () => {
    expect(explainProgram(well)).toEqual([]);
    expect(explainProgram(managed({ connected: true, down_secs: 0 }))).toEqual([]);
  });

  it.each([
    ['events cannot be written to disk: ENOSPC: no space left on device', /^free space on the disk/],
    ['events cannot be written to disk: EROFS: read-only file system', /right to write to state_dir/],
    ['events cannot be written to disk: EIO', /^look at the disk/],
    ['events were lost because the journal was full', /^connect the manager again/],
    ['credentials cannot be stored: it is a folder', /credentials_path/],
    [
      'the REST API cannot listen on 127.0.0.1:1: another program has it (EADDRINUSE); stop that one',
      /^stop that one$/,
    ],
    ['127.0.0.1:4434: the socket broke', /^see the log/],
  ])('is a problem with what to do: %s', (fault, remedy) => {
    const [finding] = explainProgram({ ...well, faults: [fault] });
    expect(finding).toMatchObject({ level: 'problem', remedy: expect.stringMatching(remedy) as string });
    expect(finding?.text).toMatch(/^[A-Z0-9].*\.$/);
    expect(finding?.text).not.toContain(';');
  });

  it('is a problem when the manager takes none of the secrets', () => {
    expect(explainProgram(managed({ refused: true, last_problem: 'invalid node_secret' }))).toEqual([
      {
        level: 'problem',
        text: `The manager at ${url} refuses this node: invalid node_secret.`,
        remedy: expect.stringContaining('manager.registration_token') as string,
      },
    ]);
  });

  it.each([
    ['connect ECONNREFUSED 192.0.2.1:443', /^nothing listens there/],
    ['getaddrinfo ENOTFOUND manager.example', /^the name does not resolve/],
    ['the certificate has another fingerprint', /^compare manager\.cert_fingerprint/],
    [null, /^see that the manager runs/],
  ])('is a note while the manager is away, since tunnels go on: %s', (why, remedy) => {
    const [finding] = explainProgram(managed({ last_problem: why }));
    expect(finding).toMatchObject({ level: 'note', remedy: expect.stringMatching(remedy) as string });
    expect(finding?.text).toContain(`no connection to the manager at ${url} for 3 minutes`);
    expect(finding?.text).toMatch(/Tunnels go on as they are\.$/);
  });

  it('has what the machine lacks as notes', () => {
    const machine = [{ problem: 'only 1024 files may be open at once', remedy: 'raise it' }];
    expect(explainProgram({ ...well, machine })).toEqual([
      { level: 'note', text: 'Only 1024 files may be open at once.', remedy: 'raise it' },
    ]);
  });
});

describe('the facts about a link to a manager', () => {
  it('name the manager that the node is at, or was tried last', () => {
    expect(managerFacts(null)).toBeNull();
    expect(managerFacts({ connectedUrl: null, downMs: 1999, lastEnd: null })).toEqual({
      connected: false,
      url: null,
      down_secs: 1,
      refused: false,
      last_problem: null,
    });
    const lastEnd = { url, refused: true, reason: 'unknown node' };
    expect(managerFacts({ connectedUrl: null, downMs: 0, lastEnd })).toMatchObject({ url, refused: true });
    expect(managerFacts({ connectedUrl: url, downMs: 0, lastEnd: null })).toMatchObject({ connected: true, url });
  });
});
