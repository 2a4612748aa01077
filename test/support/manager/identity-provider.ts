import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { createSelfSigned } from '../samples/certificates.ts';

export interface Person {
  readonly sub: string;
  readonly groups: readonly string[];
}

export interface IdentityProviderOptions {
  /** Where the provider may send browsers back to. */
  readonly redirectUri: string;
  /** Claims of scopes are left out of the ID token: whoever wants them asks the userinfo endpoint. */
  readonly leanIdToken?: boolean;
}

const clientId = 'adit';
export const clientSecret = 'a client secret of enough length';

/** A real OpenID provider (`oidc-provider`) over HTTPS, at which `person` signs in without typing anything. */
export class IdentityProvider implements AsyncDisposable {
  readonly issuer: string;
  readonly clientId = clientId;
  /** PEM of its certificate, to be trusted. */
  readonly certificate: string;
  person: Person | null = null;
  /** Replaces the nonce that a client sends. */
  nonce: string | null = null;
  readonly #server: Server;

  private constructor(server: Server, issuer: string, certificate: string) {
    this.#server = server;
    this.issuer = issuer;
    this.certificate = certificate;
  }

  static async start(options: IdentityProviderOptions): Promise<IdentityProvider> {
    const identity = await createSelfSigned({ ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] });
    const server = createServer({ cert: identity.certificatePem, key: identity.privateKeyPem });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const started = new IdentityProvider(server, issuer, identity.certificatePem);
    const provider = started.#provider(options);
    const answer = provider.callback();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.url = started.#withNonce(request.url ?? '/');
      if (request.url.startsWith('/interaction/')) void started.#signIn(provider, request, response);
      else void answer(request, response);
    });
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #provider({ redirectUri, leanIdToken = false }: IdentityProviderOptions): Provider {
    return new Provider(this.issuer, {
      clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
      scopes: ['openid', 'profile', 'email', 'groups'],
      claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'], groups: ['groups'] },
      conformIdTokenClaims: leanIdToken,
      cookies: { keys: ['a key of cookies'] },
      findAccount: (_context, sub) => ({
        accountId: sub,
        claims: () => Promise.resolve({ sub, preferred_username: sub, groups: [...(this.person?.groups ?? [])] }),
      }),
    });
  }

  /** What a person does there: sign in, or decline, then agree. */
  async #signIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params } = await provider.interactionDetails(request, response);
    const { person } = this;
    if (person === null) {
      const refusal = { error: 'access_denied', error_description: 'the person declined' };
      await provider.interactionFinished(request, response, refusal);
      return;
    }
    if (prompt.name === 'login') {
      await provider.interactionFinished(request, response, { login: { accountId: person.sub } });
      return;
    }
    const grant = new provider.Grant({ accountId: person.sub, clientId });
    grant.addOIDCScope(String(params['scope']));
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }

  #withNonce(url: string): string {
    if (this.nonce === null || !url.startsWith('/auth?')) return url;
    return url.replace(/nonce=[^&]*/, `nonce=${this.nonce}`);
  }
}
