import { describe, expect, it } from 'vitest';
import { redactSecrets } from '../../../../src/node-link/commands/redact-secrets.ts';

const config = {
  api_token: 'a',
  tls_key_path: 'certs/key.pem',
  require_bind_proof: true,
  limits: { max_authorizations: 5 },
  tunnels: [{ id: '1', bind_secret: 'b', tunnel_encryption_key: 'c' }],
  manager: { node_id: 'n', node_secret: 's', previous_node_secrets: ['p'], registration_token: null },
};

describe('a config that a manager may see', () => {
  it('has masks in place of secrets', () => {
    expect(redactSecrets(config, 'mask')).toEqual({
      api_token: '***REDACTED***',
      tls_key_path: 'certs/key.pem',
      require_bind_proof: true,
      limits: { max_authorizations: 5 },
      tunnels: [{ id: '1', bind_secret: '***REDACTED***', tunnel_encryption_key: '***REDACTED***' }],
      manager: {
        node_id: 'n',
        node_secret: '***REDACTED***',
        previous_node_secrets: '***REDACTED***',
        registration_token: null,
      },
    });
  });

  it('or leaves them out', () => {
    expect(redactSecrets(config, 'omit')).toEqual({
      tls_key_path: 'certs/key.pem',
      require_bind_proof: true,
      limits: { max_authorizations: 5 },
      tunnels: [{ id: '1' }],
      manager: { node_id: 'n' },
    });
  });

  it('is a copy', () => {
    expect(config.manager.node_secret).toBe('s');
  });
});
