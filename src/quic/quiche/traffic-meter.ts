import type { Traffic } from './budget.ts';

/** Adds up what a connection receives and sends between two judgements of its budget. */
export class TrafficMeter implements Traffic {
  receivedPackets = 0;
  receivedBytes = 0;
  usefulBytes = 0;
  sentPackets = 0;
  sentBytes = 0;

  onReceived(bytes: number): void {
    this.receivedPackets += 1;
    this.receivedBytes += bytes;
  }

  onUseful(bytes: number): void {
    this.usefulBytes += bytes;
  }

  onSent(bytes: number): void {
    this.sentPackets += 1;
    this.sentBytes += bytes;
  }

  clear(): void {
    this.receivedPackets = 0;
    this.receivedBytes = 0;
    this.usefulBytes = 0;
    this.sentPackets = 0;
    this.sentBytes = 0;
  }
}
