import { describe, expect, it } from 'vitest';
import { CommandDesk, type CommandResult } from '../../../../src/manager/commands/command-desk.ts';
import type { LiveNode } from '../../../../src/manager/hub/live-node.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function deskOf(settings: { perEdge?: number; total?: number }) {
  const sent: { readonly node: string; readonly id: string }[] = [];
  const desk = new CommandDesk(new ManualClock(), { perEdge: 8, perRelay: 64, total: 512, ...settings });
  const node = (name: string): LiveNode => {
    const send = (frame: string): void => {
      const { payload } = JSON.parse(frame) as { payload: { command_id: string } };
      sent.push({ node: name, id: payload.command_id });
    };
    return { kind: 'edge', send } as unknown as LiveNode;
  };
  const results: [string, CommandResult['kind']][] = [];
  const ask = (name: string, to: LiveNode): void => {
    void desk.send(to, { type: 'list_things' }).then(({ kind }) => results.push([name, kind]));
  };
  const answer = (index: number, from: LiveNode): void =>
    desk.answered(from, { command_id: sent[index]?.id, success: true });
  return { desk, sent, node, ask, answer, results };
}

describe('commands that have to wait', () => {
  it('go in the order in which they came, and no more at once than all nodes together may have', () => {
    const { node, ask, answer, sent } = deskOf({ total: 2 });
    const first = node('a');
    ask('a', first);
    for (const name of ['b', 'c', 'd']) ask(name, node(name));
    expect(sent.map((command) => command.node)).toEqual(['a', 'b']);
    answer(0, first);
    expect(sent.map((command) => command.node)).toEqual(['a', 'b', 'c']);
  });

  it('of a node that has as many as it may do not hold up those of others', () => {
    const { node, ask, answer, sent } = deskOf({ perEdge: 1 });
    const [one, other] = [node('one'), node('other')];
    ask('1', one);
    ask('2', one);
    ask('3', other);
    expect(sent.map((command) => command.node)).toEqual(['one', 'other']);
    answer(0, one);
    expect(sent.map((command) => command.node)).toEqual(['one', 'other', 'one']);
  });

  it('end when their node goes, whether they were sent or not; those of others stay', async () => {
    const { desk, node, ask, results, sent } = deskOf({ total: 1 });
    const [gone, there] = [node('gone'), node('there')];
    ask('sent', gone);
    ask('waiting', gone);
    ask('other', there);
    desk.left(gone);
    await Promise.resolve();
    await Promise.resolve();
    expect(results.toSorted()).toEqual([
      ['sent', 'disconnected'],
      ['waiting', 'disconnected'],
    ]);
    expect(sent.map((command) => command.node)).toEqual(['gone', 'there']);
  });
});
