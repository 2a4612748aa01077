import type { ManagerFacts, ProgramFacts } from '../../admin/program-facts.ts';
import { note, problem, type Finding } from './finding.ts';
import { durationWords } from './time-words.ts';

/** What is wrong with the program itself, its machine and its link to a manager; nothing when all is well. Pure. */
export function explainProgram({ faults, machine, manager }: ProgramFacts): readonly Finding[] {
  return [
    ...faults.map(faultFinding),
    ...(manager === null ? [] : managerFindings(manager)),
    ...machine.map(({ problem: text, remedy }) => note(`${capital(text)}.`, remedy)),
  ];
}

/** By words of the fault; the first that fits. */
const faultRemedies: readonly (readonly [words: RegExp, remedy: string])[] = [
  [/ENOSPC/, 'free space on the disk that holds state_dir (df -h shows it); the events wait in memory until then'],
  [/EACCES|EROFS|EPERM/, 'give the user of the program the right to write to state_dir'],
  [/^events were lost/, 'connect the manager again, which takes the events; then nothing more is lost'],
  [/^events cannot/, 'look at the disk that holds state_dir'],
  [/^credentials/, 'let the program write its config file, or set credentials_path to a file that it may write'],
];

/** Some faults carry their remedy, behind a semicolon. */
function faultFinding(fault: string): Finding {
  const found = faultRemedies.find(([words]) => words.test(fault));
  if (found !== undefined) return problem(`${capital(fault)}.`, found[1]);
  const [what = '', ...remedy] = fault.split('; ');
  return problem(`${capital(what)}.`, remedy.length > 0 ? remedy.join('; ') : 'see the log of the program');
}

function managerFindings({ connected, url, down_secs: secs, refused, last_problem: why }: ManagerFacts): Finding[] {
  if (connected) return [];
  const manager = url === null ? 'the manager' : `the manager at ${url}`;
  if (refused) {
    const remedy =
      'register it anew: make a registration token in the manager, and set it as manager.registration_token in ' +
      'place of node_id and node_secret';
    return [problem(`${capital(manager)} refuses this node: ${why ?? 'no reason given'}.`, remedy)];
  }
  const reason = why === null ? '' : `: ${why}`;
  const text = `There has been no connection to ${manager} for ${durationWords(secs)}${reason}.`;
  return [note(`${text} Tunnels go on as they are.`, managerRemedy(why ?? ''))];
}

function managerRemedy(why: string): string {
  if (/fingerprint|certificate/i.test(why))
    return 'compare manager.cert_fingerprint with the certificate of the manager';
  if (/ENOTFOUND|EAI_AGAIN/.test(why)) return 'the name does not resolve: correct manager.url, or make the DNS entry';
  if (why.includes('ECONNREFUSED')) return 'nothing listens there: start the manager, or correct manager.url';
  return 'see that the manager runs, and that TCP to its port is let through';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
