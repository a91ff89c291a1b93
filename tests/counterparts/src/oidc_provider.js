// A real OpenID provider (oidc-provider) on a port of 127.0.0.1, told over standard input what to do: each
// line is one order as JSON, and each is answered with one line. It ends with its standard input.
//
// Arguments: the port (0 for any), the resource that access tokens are for, the algorithm they are signed
// with, their life in seconds, and the addresses to which browsers may be sent back (JSON).
import * as crypto from 'node:crypto';
import * as http from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import Provider from 'oidc-provider';

const [port, resource, alg, life, redirects] = process.argv.slice(-5);
const CLIENT = 'sortie';
const SCOPES = ['openid', 'profile', 'email', 'offline_access'];
const people = new Map();
const counts = {};
const faults = [];
let provider, handle, key, next = 0;

// What the story says of a person becomes the claims of their tokens.
const claimsOf = (sub) => ({ preferred_username: sub, ...people.get(sub) });

async function newKey() {
  const pair = await generateKeyPair(alg, { extractable: true });
  const kid = `key-${next += 1}`;
  return { ...pair, kid, jwk: { ...(await exportJWK(pair.privateKey)), kid, alg, use: 'sig' } };
}

const configuration = () => ({
  jwks: { keys: [key.jwk] },
  cookies: { keys: ['only for stories'] },
  scopes: SCOPES,
  claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email'] },
  clients: [{
    client_id: CLIENT,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: JSON.parse(redirects),
    id_token_signed_response_alg: alg,
  }],
  enabledJWA: { idTokenSigningAlgValues: [alg] },
  clientDefaults: { id_token_signed_response_alg: alg },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: SCOPES.join(' '), accessTokenFormat: 'jwt', accessTokenTTL: Number(life), jwt: { sign: { alg } },
      }),
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: true,
  ttl: { RefreshToken: 3600, DeviceCode: 600, Session: 3600, Interaction: 600, Grant: 3600, IdToken: 600 },
  extraTokenClaims: (ctx, token) => claimsOf(token.accountId),
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...claimsOf(sub) }) }),
});

function begin() {
  provider = new Provider(issuer, configuration());
  provider.use(async (ctx, then) => {
    await then();
    // Stories should not wait the five seconds that hold where nothing is said.
    if (ctx.oidc?.route === 'device_authorization' && ctx.body?.device_code) ctx.body = { ...ctx.body, interval: 1 };
  });
  handle = provider.callback();
}

// A person who signs in and agrees to everything.
async function interact(request, response, sub) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: sub } });
    return;
  }
  const grant = grantId ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  await provider.interactionFinished(request, response, { consent: { grantId: await agreed(grant) } });
}

function agreed(grant) {
  grant.addOIDCScope(SCOPES.join(' '));
  grant.addResourceScope(resource, SCOPES.join(' '));
  return grant.save();
}

let hasBegun;
const begun = new Promise((resolve) => { hasBegun = resolve; });
// A hub of a story may ask on this port before there is anything to answer with.
const server = http.createServer(async (request, response) => {
  await begun;
  const path = request.url.split('?')[0];
  counts[path] = (counts[path] ?? 0) + 1;
  if (path === '/token' && faults.length > 0) {
    request.resume();
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: faults.shift() }));
  } else if (path.startsWith('/interaction/')) {
    const sub = decodeURIComponent(/story_sub=([^;]*)/.exec(request.headers.cookie)[1]);
    interact(request, response, sub).catch((error) => { response.statusCode = 500; response.end(String(error)); });
  } else {
    handle(request, response);
  }
});

// A browser that keeps cookies and follows redirects, up to the first that leads elsewhere.
async function browse(sub, url, form) {
  const cookies = new Map([['story_sub', encodeURIComponent(sub)]]);
  const open = async (at, body) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(at, {
      redirect: 'manual', headers: { cookie }, method: body ? 'POST' : 'GET', body: body && new URLSearchParams(body),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]*)=([^;]*)/.exec(line);
      if (value) cookies.set(name, value); else cookies.delete(name);
    }
    const location = answer.headers.get('location');
    if (!location) return { status: answer.status, text: await answer.text() };
    const to = new URL(location, at);
    return to.origin === new URL(issuer).origin ? open(to) : { status: answer.status, location: to.href };
  };
  let page = await open(url);
  if (form) {
    const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)[1];
    page = await open(`${issuer}/device`, { xsrf, ...form });
  }
  return page;
}

// An access token as the provider itself makes it for a person who has agreed.
async function accessToken(sub) {
  const client = await provider.Client.find(CLIENT);
  const grantId = await agreed(new provider.Grant({ accountId: sub, clientId: CLIENT }));
  const token = new provider.AccessToken({
    accountId: sub, client, grantId, gty: 'authorization_code', scope: SCOPES.join(' '), extra: claimsOf(sub),
  });
  const info = configuration().features.resourceIndicators.getResourceServerInfo();
  token.resourceServer = new provider.ResourceServer(resource, info);
  return token.save();
}

// A token with claims and a header of the story's choice; what is null is left out. `how` says who signs it.
async function forge({ sub, header = {}, claims = {}, expires_in = 600, how = 'key' }) {
  const seconds = Math.floor(Date.now() / 1000);
  const all = {
    jti: crypto.randomUUID(), sub, iss: issuer, aud: resource, iat: seconds, exp: seconds + expires_in,
    client_id: CLIENT, ...claimsOf(sub), ...claims,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  if (typeof kept.nbf_in === 'number') { kept.nbf = seconds + kept.nbf_in; delete kept.nbf_in; }
  const head = { alg, typ: 'at+jwt', kid: key.kid, ...header };
  for (const name of Object.keys(head)) if (head[name] === null) delete head[name];
  const crit = Object.fromEntries((head.crit ?? []).map((name) => [name, true]));
  if (how === 'key') return new SignJWT(kept).setProtectedHeader(head).sign(key.privateKey, { crit });
  if (how === 'stranger') {
    return new SignJWT(kept).setProtectedHeader(head).sign((await generateKeyPair(alg)).privateKey);
  }
  const text = [head, kept].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  if (how === 'none') return `${text}.`;
  const secret = await exportSPKI(key.publicKey);
  return `${text}.${crypto.createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const orders = {
  person: ({ sub, claims }) => { people.set(sub, claims); },
  token: ({ sub }) => accessToken(sub),
  forge,
  rotate: async () => { key = await newKey(); begin(); return key.kid; },
  counts: () => counts,
  fault: ({ error }) => { faults.push(error); },
  approve: ({ sub, code }) => browse(sub, `${issuer}/device`, { user_code: code, confirm: 'yes' }),
  refuse: ({ sub, code }) => browse(sub, `${issuer}/device`, { user_code: code, abort: 'yes' }),
  sign_in: ({ sub, url }) => browse(sub, url),
  introspect: async ({ token }) => {
    const body = new URLSearchParams({ token, client_id: CLIENT });
    return (await fetch(`${issuer}/token/introspection`, { method: 'POST', body })).json();
  },
};

let issuer;
server.listen(Number(port), '127.0.0.1', async () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  key = await newKey();
  begin();
  hasBegun();
  console.log(`ready ${server.address().port}`);
  for await (const line of createInterface({ input: process.stdin })) {
    const { order, ...rest } = JSON.parse(line);
    try {
      console.log(JSON.stringify({ done: (await orders[order](rest)) ?? null }));
    } catch (error) {
      console.log(JSON.stringify({ failed: String(error.stack) }));
    }
  }
  process.exit();
});
