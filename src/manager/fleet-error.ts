/** Why the fleet refused an operation. REST returns the status; the code is the `error_code` of its body. */
export type FleetErrorCode =
  | 'invalid'
  | 'not_found'
  | 'conflict'
  | 'name_taken'
  | 'in_use'
  | 'stale'
  | 'node_offline'
  | 'node_refused'
  | 'timed_out'
  | 'too_many_secrets'
  | 'keys_unknown'
  | 'unavailable';

const statuses: Readonly<Record<FleetErrorCode, number>> = {
  invalid: 422,
  not_found: 404,
  conflict: 409,
  name_taken: 409,
  in_use: 409,
  stale: 412,
  node_offline: 409,
  node_refused: 422,
  timed_out: 504,
  too_many_secrets: 409,
  keys_unknown: 409,
  unavailable: 503,
};

/** An operation that the fleet refused. The message is for the person who made the request. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: FleetErrorCode;
  /** The node's own `error_code`, where it is the node that refused. */
  readonly nodeErrorCode: string | null;
  /** The field of the input that is wrong, by its path in the body: forms show the message there. */
  readonly field: string | null;

  constructor(
    code: FleetErrorCode,
    message: string,
    {
      nodeErrorCode = null,
      field = null,
    }: { readonly nodeErrorCode?: string | null; readonly field?: string | null } = {},
  ) {
    super(message);
    this.code = code;
    this.nodeErrorCode = nodeErrorCode;
    this.field = field;
  }

  get status(): number {
    return statuses[this.code];
  }
}
