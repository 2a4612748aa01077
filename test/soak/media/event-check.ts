import type { ReceivedEvent } from '../../support/peers/managed-node.ts';

/** The events of one connection: an input, an output, or a leg of either. */
interface Story {
  connected: number;
  disconnected: number;
  failed: number;
}

/**
 * What is wrong with the events of a flow: a connection is reported once, its end once, and nothing is reported twice
 * in a row. `places` is how many connections an output may have at the same time.
 */
export function eventFaults(events: readonly ReceivedEvent[], flowId: string, places: number): string[] {
  const stories = new Map<string, Story>();
  const faults: string[] = [];
  for (const { payload } of events) {
    if (payload.flow_id !== flowId || payload.category === 'flow') continue;
    const part = partOf(payload);
    const story = stories.get(part) ?? { connected: 0, disconnected: 0, failed: 0 };
    stories.set(part, story);
    follow(story, payload.message);
    const open = story.connected - story.disconnected;
    if (open < 0 || open > places || story.failed > 1) {
      faults.push(`${flowId} ${part}: '${payload.message}' came once too often`);
    }
  }
  return faults;
}

/** How many connections the events of a flow have reported. */
export function connectionsOf(events: readonly ReceivedEvent[], flowId: string): number {
  return events.filter(({ payload }) => payload.flow_id === flowId && payload.message.includes(' connected')).length;
}

/** Whose connection an event is about. */
function partOf({ details = {} }: ReceivedEvent['payload']): string {
  const { output_id: outputId, leg } = details;
  const part = typeof outputId === 'string' ? `output ${outputId}` : 'input';
  return typeof leg === 'number' ? `${part}, leg ${leg}` : part;
}

function follow(story: Story, message: string): void {
  if (message.includes(' connected')) [story.connected, story.failed] = [story.connected + 1, 0];
  else if (
    message.includes('disconnected') ||
    message.includes('stale connection') ||
    /Redundant leg \d lost/.test(message)
  )
    story.disconnected++;
  else if (message.includes('connection failed')) story.failed++;
}
