import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version whose findings this code was mended for; a newer one is tried by changing it here. */
const version = '4.32.5';

/** What an answer must keep to: never a 5xx, and nothing that the document does not declare. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'ignored_auth',
  'unsupported_method',
];

/** What may answer a request that is against its schema; 431 is what an address over 16 KiB gets before it is read. */
const settings = `hooks = "hooks.py"
[checks]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "429", "431"]
`;

/** It does not know how a session description (SDP) is sent: as the text that it is. */
const hooks = `import schemathesis

@schemathesis.serializer("application/sdp")
def sdp(context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
`;

export interface SchemathesisRun {
  /** Where the API's document is. */
  readonly documentUrl: string;
  /** Of the role that is tried; null for an API without tokens. */
  readonly token: string | null;
  readonly maxExamples: number;
  readonly seed: number;
}

/** Property-based tests of a REST API by its own OpenAPI document: schemathesis of PyPI, in a folder of its own. */
export class Schemathesis {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Installs it below this folder; needs python3 with pip. */
  static install(folder: string): Schemathesis {
    const environment = join(folder, 'venv');
    execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
    const python = join(environment, 'bin/python');
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', `schemathesis==${version}`], { stdio: 'inherit' });
    writeFileSync(join(folder, 'schemathesis.toml'), settings);
    writeFileSync(join(folder, 'hooks.py'), hooks);
    return new Schemathesis(folder);
  }

  /** Resolves with whether all checks passed; what it finds is printed. */
  async run({ documentUrl, token, maxExamples, seed }: SchemathesisRun): Promise<boolean> {
    const child = spawn(
      join(this.#folder, 'venv/bin/schemathesis'),
      [
        ...['run', documentUrl, '--tls-verify', 'false', '--checks', checks.join(',')],
        ...(token === null ? [] : ['--header', `Authorization: Bearer ${token}`]),
        // What ends the tried credential itself would make all that follows a 401.
        ...['--exclude-path', '/api/v1/logout', '--warnings', 'off'],
        ...['--max-examples', String(maxExamples), '--seed', String(seed), '--request-timeout', '15'],
      ],
      { stdio: 'inherit', cwd: this.#folder },
    );
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  }
}
