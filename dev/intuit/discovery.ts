import { Hono } from 'hono'
import type { IdTokenIssuer } from './id-token.ts'

/** The discovery documents of both environments and the keys of ID tokens (OpenID Connect Discovery 1.0, section 3). */
export const createDiscoveryRoutes = (idTokens: IdTokenIssuer, url: () => string) => {
  const metadata = () => ({
    issuer: idTokens.issuer(),
    authorization_endpoint: `${url()}/connect/oauth2`,
    token_endpoint: `${url()}/oauth2/v1/tokens/bearer`,
    revocation_endpoint: `${url()}/v2/oauth2/tokens/revoke`,
    jwks_uri: `${url()}/op/v1/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'email', 'profile', 'address', 'phone'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    claims_supported: ['aud', 'exp', 'iat', 'iss', 'realmid', 'sub'],
  })
  return new Hono()
    .get('/.well-known/openid_configuration', (c) => c.json(metadata()))
    .get('/.well-known/openid_sandbox_configuration', (c) => c.json(metadata()))
    .get('/op/v1/jwks', async (c) => c.json(await idTokens.jwks()))
}
