import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandNames, createProgram } from '../../../src/cli/program.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'adit-completion-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function script(shell: string): Promise<string> {
  let printed = '';
  const program = await createProgram({ out: (text) => void (printed += text) }, ['completion']);
  await program.parseAsync(['node', 'adit', 'completion', shell]);
  const path = join(folder, shell === 'zsh' ? '_adit' : `adit.${shell}`);
  writeFileSync(path, printed);
  return path;
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

/** What a shell offers for a line that ends where the cursor is. */
type Offers = (path: string, line: string) => readonly string[];

const bash: Offers = (path, line) => {
  const words = line.split(' ');
  const commands = [
    `source ${path}`,
    `cd ${folder}`,
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    '_adit 2>/dev/null',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ];
  return lines(execFileSync('bash', ['--norc', '-c', commands.join('\n')], { encoding: 'utf8' }));
};

const fish: Offers = (path, line) => {
  const command = `source ${path}; cd ${folder}; complete -C '${line}'`;
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder };
  const offered = lines(execFileSync('fish', ['-N', '-c', command], { encoding: 'utf8', env }));
  return offered.map((text) => text.split('\t', 1)[0] ?? '');
};

/** Types the line and a tab into a real interactive shell, as a person does; zsh lists nothing to anybody else. */
const zsh: Offers = (path, line) => {
  const typist = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    say() { zpty -w shell "$1" }
    say "cd ${folder}; autoload -Uz compinit; compinit -u -D; PS1= LISTMAX=10000; setopt list_rows_first; source ${path}"
    say "adit() { print -r -- GOT:\\$@: }; zstyle ':completion:*' list-prompt ''; bindkey '^I' complete-word"
    say "print REA''DY"
    zpty -r -m shell seen '*READY*'
    zpty -w -n shell '${line}'$'\\t'
    sleep 1
    zpty -w shell '.'
    sleep 0.5
    say "print FIN''ISHED"
    zpty -r -m shell seen '*FINISHED*'
    print -r -- "$seen"
  `;
  const seen = execFileSync('zsh', ['-f', '-c', typist], { encoding: 'utf8', timeout: 30_000 });
  const got = /GOT:(.*) \.:/.exec(seen)?.[1] ?? '';
  return [got.split(' ').at(-1) ?? ''];
};

describe.each([
  ['bash', bash],
  ['fish', fish],
  ['zsh', zsh],
] as const)('completion in %s', (shell, offers) => {
  it.runIf(isInstalled(shell))('finishes commands, commands below them, flags and their values', async () => {
    writeFileSync(join(folder, 'venue.json'), '{}');
    const path = await script(shell);
    expect(offers(path, 'adit obs')).toEqual(['observer']);
    expect(offers(path, 'adit service roll')).toEqual(['rollback']);
    expect(offers(path, 'adit probe --pay')).toEqual(['--payload']);
    expect(offers(path, 'adit probe --engine qu')).toEqual(['quiche']);
    expect(offers(path, 'adit service install re')).toEqual(['relay']);
    expect(offers(path, 'adit edge --config ven')).toEqual(['venue.json']);
    expect(offers(path, 'adit check-config ven')).toEqual(['venue.json']);
  });
});

describe('completion in bash', () => {
  it('offers every command and nothing else where a command stands', async () => {
    const offered = bash(await script('bash'), 'adit ').filter((word) => !word.startsWith('-'));
    expect(offered.toSorted()).toEqual(commandNames.toSorted());
  });

  it('offers no flag that the help hides', async () => {
    const path = await script('bash');
    expect(bash(path, 'adit relay --quic')).toEqual(['--quic-addrs']);
  });
});

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
