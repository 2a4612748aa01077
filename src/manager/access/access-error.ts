export type AccessErrorCode =
  | 'invalid_credentials'
  | 'too_many_attempts'
  | 'invalid'
  | 'not_found'
  | 'name_taken'
  | 'last_admin'
  | 'stale'
  | 'first_admin_done';

const statuses: Readonly<Record<AccessErrorCode, number>> = {
  invalid_credentials: 401,
  too_many_attempts: 429,
  invalid: 422,
  not_found: 404,
  name_taken: 409,
  last_admin: 409,
  stale: 412,
  first_admin_done: 403,
};

export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** An operation on users, tokens or webhooks that is refused. The message is for the person who made the request. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  readonly code: AccessErrorCode;
  readonly details: readonly FieldProblem[];

  constructor(code: AccessErrorCode, message: string, details: readonly FieldProblem[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return statuses[this.code];
  }
}
