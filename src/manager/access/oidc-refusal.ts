/** Why a sign-in by the identity provider ended without a session. */
type OidcRefusalReason =
  /** This browser did not start it. */
  | 'not_started'
  | 'expired'
  /** The provider cannot be reached. */
  | 'provider_away'
  /** The provider refused, or its answer does not fit what was asked. */
  | 'not_confirmed'
  /** None of the person's groups has a role here. */
  | 'no_role'
  /** An administrator disabled this user here. */
  | 'disabled';

/** A sign-in by the identity provider that is refused; the page has the words for each reason. */
export class OidcRefusal extends Error {
  override readonly name = 'OidcRefusal';
  readonly reason: OidcRefusalReason;
  /** The provider's own code (RFC 6749, sections 4.1.2.1 and 5.2); null without one. */
  readonly providerCode: string | null;

  constructor(reason: OidcRefusalReason, providerCode: string | null = null) {
    super(reason);
    this.reason = reason;
    this.providerCode = providerCode;
  }
}
