import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { crates, licenceTexts, npmPackages, type ThirdParty } from './third-party.ts';

/** `npm run notice` writes NOTICE; with `--check` it fails where NOTICE is not what it would write. Needs cargo. */
const path = join(import.meta.dirname, '../NOTICE');
const text = notice(npmPackages(), crates());
if (!process.argv.includes('--check')) {
  writeFileSync(path, text);
} else if (readFileSync(path, 'utf8') !== text) {
  process.stderr.write('NOTICE is not current: run npm run notice\n');
  process.exitCode = 1;
}

function notice(packages: readonly ThirdParty[], linked: readonly ThirdParty[]): string {
  return `Adit
Copyright the Adit contributors
Licensed under the Apache License, Version 2.0: see LICENSE.

Adit is installed with packages of others, and its native engine has crates of others linked into it. Where a
package offers a choice that includes the Apache License 2.0, Adit takes that one. This file is written by
\`npm run notice\`; do not edit it.

== Packages from npm
Each has its licence text in its folder below node_modules.

${list(packages)}

@matrixai/quic-linux-x64 and its siblings contain quiche (BSD-2-Clause, Cloudflare) and BoringSSL (OpenSSL, ISC
and Apache-2.0 licences, Google and others).

== Crates in native/adit-native.node

${list(linked)}

== Texts of the crates that are not under the Apache License 2.0 alone

${linked
  .filter(({ licence }) => !offersApache(licence))
  .map((each) => `-- ${each.name} ${each.version}: ${each.licence}\n\n${licenceText(each)}\n`)
  .join('\n')}`;
}

function offersApache(licence: string): boolean {
  return !licence.includes(' AND ') && licence.split(' OR ').includes('Apache-2.0');
}

function licenceText(thirdParty: ThirdParty): string {
  const texts = licenceTexts(thirdParty);
  return texts.length > 0 ? texts.join('\n\n') : 'The package has no licence file; its manifest names the licence.';
}

function list(packages: readonly ThirdParty[]): string {
  return packages.map(({ name, version, licence }) => `${name} ${version}: ${licence}`).join('\n');
}
