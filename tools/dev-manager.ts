import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Frame, ManagedNode } from '../test/support/peers/managed-node.ts';
import { TestManager } from '../test/support/peers/test-manager.ts';
import { readCounts } from './counts.ts';

const defaultPort = 8443;

const help = `commands:
  nodes                  who is connected
  stats                  the last stats of each node
  config                 every node's config
  rotate                 a new secret for every node
  authorize UUID IN EG   authorise a tunnel with its two tokens (adit token prints them)
  revoke UUID            take that back
  send {"type":…}        any other action, such as {"type":"list_edges"}
  drop                   cut every connection
  refuse, accept         answer auth with an error, or as usual again
  help, quit
`;

/** A manager to try relays and edges by hand. It takes any node, and forgets everything when it ends. */
class DevManager {
  readonly #manager: TestManager;

  constructor(manager: TestManager) {
    this.#manager = manager;
    manager.onFrame((node, frame) => this.#show(node, frame));
  }

  introduce(): void {
    const config = { manager: this.#manager.configFor({ registration_token: 'any' }) };
    say(
      `manager on ${this.#manager.url}\nput this into config.json or edge.json:\n${JSON.stringify(config, null, 2)}\n`,
    );
    say(help);
  }

  /** False when the person has had enough. */
  obey(line: string): boolean {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    switch (word) {
      case 'quit':
        return false;
      case 'nodes':
        say(this.#online().map(nameOf).join('\n') || 'nobody');
        return true;
      case 'stats':
        for (const node of this.#online())
          say(`${nameOf(node)} ${JSON.stringify(node.payloads('stats').at(-1), null, 2)}`);
        return true;
      case 'drop':
        this.#manager.dropAll();
        return true;
      case 'refuse':
        this.#manager.authAnswer = { frame: JSON.stringify({ type: 'auth_error', message: 'refused by hand' }) };
        return true;
      case 'accept':
        this.#manager.authAnswer = 'normal';
        return true;
      default:
        this.#order(word, rest);
        return true;
    }
  }

  #order(word: string, rest: readonly string[]): void {
    const [tunnel_id, ingress_token, egress_token] = rest;
    switch (word) {
      case 'config': {
        this.#send({ type: 'get_config' });
        return;
      }
      case 'rotate': {
        this.#rotate();
        return;
      }
      case 'authorize': {
        this.#send({ type: 'authorize_tunnel', tunnel_id, ingress_token, egress_token });
        return;
      }
      case 'revoke': {
        this.#send({ type: 'revoke_tunnel', tunnel_id });
        return;
      }
      case 'send': {
        this.#sendText(rest.join(' '));
        return;
      }
      default:
        say(help);
    }
  }

  #sendText(text: string): void {
    try {
      this.#send(JSON.parse(text));
    } catch {
      say('that is not JSON');
    }
  }

  #send(action: unknown): void {
    for (const node of this.#online()) node.order(action);
  }

  #rotate(): void {
    for (const node of this.#online()) {
      const secret = randomBytes(32).toString('hex');
      this.#manager.secrets.get(node.nodeId ?? '')?.add(secret);
      node.order({ type: 'rotate_secret', new_secret: secret });
    }
  }

  #online(): ManagedNode[] {
    return this.#manager.connections.filter((node) => node.isOpen && node.nodeId !== null);
  }

  #show(node: ManagedNode, { type, timestamp, payload }: Frame): void {
    if (type === 'stats') return;
    if (type === 'auth') {
      say(`${timestamp} ${nameOf(node)} authenticates`);
      return;
    }
    const indent = type === 'health' || type === 'event' ? 0 : 2;
    say(`${timestamp} ${nameOf(node)} ${type} ${JSON.stringify(payload, null, indent)}`);
  }
}

function nameOf(node: ManagedNode): string {
  return node.nodeId ?? '(new)';
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const [port] = readCounts('dev:manager -- [port]', [defaultPort]);
await using manager = await TestManager.start({ port, welcoming: true });
const devManager = new DevManager(manager);
devManager.introduce();
for await (const line of createInterface({ input: process.stdin })) {
  if (!devManager.obey(line)) break;
}
