// A real OpenID Connect provider (oidc-provider) on loopback, with its own login form.
//   node openid_provider.mjs NODE_MODULES FOLDER ALGORITHM [SECRET]
// Serves with FOLDER/tls.key and tls.crt, signs ID tokens with ALGORITHM, and knows one client, `tsunagi-node`: with
// SECRET a confidential one. Writes its issuer to FOLDER/issuer once it serves.
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

globalThis.crypto ??= webcrypto;  // Node 18
const [modules, folder, algorithm, secret] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(modules, 'oidc-provider/lib/index.js')));

const key = algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
                                  : generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...key.privateKey.export({ format: 'jwk' }), kid: `key of ${process.pid}`, alg: algorithm, use: 'sig' };

const server = createServer({ key: readFileSync(join(folder, 'tls.key')), cert: readFileSync(join(folder, 'tls.crt')) });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'tsunagi-node',
      application_type: 'native',  // RFC 8252: any port of 127.0.0.1
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: algorithm,
      token_endpoint_auth_method: secret ? 'client_secret_basic' : 'none',
      ...(secret && { client_secret: secret }),
    }],
    jwks: { keys: [jwk] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
    cookies: { keys: ['of this test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,  // `email` stands in the ID token
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@oem.example`, email_verified: !id.startsWith('new-') }),
    }),
  });
  server.on('request', provider.callback());
  writeFileSync(join(folder, 'issuer.new'), issuer);
  renameSync(join(folder, 'issuer.new'), join(folder, 'issuer'));
});
