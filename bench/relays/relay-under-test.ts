/** A relay that runs, measured by its process id. */
export interface RunningRelay extends AsyncDisposable {
  readonly pid: number;
  /** `ip:port` that edges dial. */
  readonly address: string;
  /** Ends it without warning and starts it at the same address with the same keys. Null where there is nothing of the kind to measure. */
  readonly restart: (() => Promise<void>) | null;
}

/** A column of the table: something that forwards. */
export interface RelayUnderTest {
  readonly name: string;
  /** What it is, for the legend. */
  readonly description: string;
  /** How edges reach each other through it. */
  readonly path: 'tunnel' | 'bare-udp' | 'turn';
  /** Something to compare with, not a product of this project. */
  readonly isReference: boolean;
  /** `folder` exists and is its own. Rejects when it does not start. */
  start(folder: string): Promise<RunningRelay>;
}
