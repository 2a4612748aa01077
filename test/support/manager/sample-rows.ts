import { randomUUID } from 'node:crypto';
import type { LegRow, NewEvent, NewNode, NewTunnel } from '../../../src/manager/store/schema.ts';

export function sampleNode(change: Partial<NewNode> = {}): NewNode & { readonly id: string } {
  const id = randomUUID();
  return { id, name: `node-${id}`, kind: 'edge', description: '', created_at: 1, updated_at: 1, ...change };
}

export function sampleTunnel(source: string, destination: string, change: Partial<NewTunnel> = {}): NewTunnel {
  return {
    id: randomUUID(),
    name: 'camera',
    description: '',
    protocol: 'udp',
    transport: 'quic',
    mode: 'relay',
    placement: 'fixed',
    source_node_id: source,
    source_listen: '127.0.0.1:5000',
    destination_node_id: destination,
    destination_forward: '127.0.0.1:5001',
    generation: 1,
    created_at: 1,
    updated_at: 1,
    ...change,
  };
}

export function sampleLeg(nodeId: string, change: Partial<LegRow> = {}): LegRow {
  return {
    id: randomUUID(),
    tunnel_id: null,
    flow_id: null,
    node_id: nodeId,
    role: 'ingress',
    want: 'present',
    generation: 1,
    pushed_generation: null,
    push_status: 'pending',
    push_error: null,
    push_error_code: null,
    attempts: 0,
    failed_for_ms: 0,
    session: null,
    command_id: null,
    updated_at: 1,
    ...change,
  };
}

export function sampleEvent(change: Partial<NewEvent> = {}): NewEvent {
  return { severity: 'info', category: 'edge', message: 'something', raised_at: 1, received_at: 1, ...change };
}
