import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };

/** The command line of adit. */
export function createProgram(): Command {
  return new Command('adit')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError("(run 'adit --help' for what it takes)");
}
