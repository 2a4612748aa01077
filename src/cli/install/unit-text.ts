import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serviceUser, unitName, type ServiceName } from './layout.ts';

/** Those of contrib/systemd, which run a checkout in /opt/adit. */
const checkoutCommand = '/opt/adit/bin/adit';
const installedCommand = '/opt/adit/current/bin/adit';
const checkoutDocs = 'file:///opt/adit/docs/';
const installedDocs = 'file:///opt/adit/current/docs/';

/** The unit of an installed program: its version is chosen by a link, and it runs as the user `adit`. */
export function unitText(service: ServiceName): string {
  return fromCheckoutUnit(readFileSync(contribUnit(unitName(service)), 'utf8'));
}

/** The socket of the observer, which outlives it. */
export function observerSocketText(): string {
  return fromCheckoutUnit(readFileSync(contribUnit('adit-observer.socket'), 'utf8'));
}

function contribUnit(name: string): string {
  return fileURLToPath(new URL(`../../../contrib/systemd/${name}`, import.meta.url));
}

function fromCheckoutUnit(text: string): string {
  const [firstUnitLine] = /^\[Unit\]$/m.exec(text) ?? [];
  const withoutAdvice = firstUnitLine === undefined ? text : text.slice(text.indexOf(firstUnitLine));
  return withoutAdvice
    .replaceAll(checkoutCommand, installedCommand)
    .replaceAll(checkoutDocs, installedDocs)
    .replace(/^DynamicUser=yes$/m, `User=${serviceUser}`)
    .replace(/^User=adit-observer$/m, `User=${serviceUser}`)
    .replace(/^SocketUser=adit-observer$/m, `SocketUser=${serviceUser}`);
}
