// A directory with invented people, by oidc-provider: `node provider.mjs PORT REDIRECT-URI`. Prints a line when it listens.
//
// Whoever types the login of somebody in PEOPLE is them; there are no passwords. The client patchwork-ALG has its tokens
// signed by ALG.

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirectUri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const PEOPLE = {
  wendy: { name: "Wendy Smith", email: "wendy@example.org", groups: ["housing-officers"], amr: ["pwd"] },
  gerald: { name: "Gerald Green", email: "gerald@example.org", groups: ["heads"], amr: ["pwd", "mfa"] },
  nobody: { name: "Norma Nobody", groups: ["visitors"], amr: ["pwd"] },
};

const key = (kind, options, alg) => {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg, kid: alg };
};

const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

const provider = new Provider(issuer, {
  jwks: {
    keys: [
      key("rsa", { modulusLength: 2048 }, "RS256"),
      key("rsa", { modulusLength: 2048 }, "PS256"),
      key("ec", { namedCurve: "P-256" }, "ES256"),
      key("ed25519", {}, "EdDSA"),
    ],
  },
  enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
  clients: ALGORITHMS.map((alg) => ({
    client_id: `patchwork-${alg}`,
    client_secret: "secret/of the client",
    redirect_uris: [redirectUri],
    id_token_signed_response_alg: alg,
    require_auth_time: true,
  })),
  claims: { openid: ["sub", "amr"], profile: ["name", "groups"], email: ["email"], amr: null, auth_time: null },
  conformIdTokenClaims: false, // into the ID token with them, as directories do
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
  ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 300, AccessToken: 300 },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});

const read = async (request) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
};

async function interact(request, response) {
  if (request.method === "GET") {
    await provider.interactionDetails(request, response); // fails if there is none
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(`<!DOCTYPE html><html lang="en"><title>The directory</title><form method="post">
      <label>Who are you? <input name="login"></label> <button>Go on</button></form>`);
    return;
  }
  const login = (await read(request)).get("login");
  const result = PEOPLE[login]
    ? { login: { accountId: login, amr: PEOPLE[login].amr } }
    : { error: "access_denied", error_description: "nobody of that name" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const serve = provider.callback();
createServer((request, response) => {
  if (request.url.startsWith("/interaction/")) {
    interact(request, response).catch((error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  } else {
    serve(request, response);
  }
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
