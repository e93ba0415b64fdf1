// Login over OpenID Connect with a real provider as the other side: certified code, own keys, PKCE, its own pages.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { choose, freePort, openBrowser, say, since, startOffice, until } from "./lib.mjs";
import { Client } from "./places.mjs";

const PEOPLE = {
  erika: { trust_level: "substantial", given_name: "Erika", family_name: "Musterfrau", email: "erika@example.org" },
  low: { trust_level: "low", given_name: "Lotte", family_name: "Niedrig", email: "lotte@example.org" },
  high: { trust_level: "high", given_name: "Hanna", family_name: "Hoch", email: "hanna@example.org" },
};
const COMMON = {
  birthdate: "1990-03-14",
  address: { street_address: "Musterweg 12", postal_code: "33098", locality: "Paderborn" },
};

/** An identity provider on localhost. Its login page asks only for the name of a person, or to break off. */
async function startProvider(callback, { inIdToken }) {
  const port = await freePort(), issuer = `http://localhost:${port}`, secret = randomBytes(32).toString("hex");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [{ client_id: "amtsbote", client_secret: secret, redirect_uris: [callback], grant_types: ["authorization_code"], response_types: ["code"] }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "one" }] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: {
      openid: ["sub", "trust_level"], profile: ["given_name", "family_name", "birthdate"],
      email: ["email"], address: ["address"],
    },
    // As the standard wants it (true): what scopes ask for is told at the userinfo address only.
    conformIdTokenClaims: !inIdToken,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...COMMON, ...PEOPLE[id] }) }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid profile email address");
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer);
    if (!pathname.startsWith("/interaction/")) return answer(request, response);
    const person = searchParams.get("person");
    if (!person) {
      const links = [...Object.keys(PEOPLE), "nobody"].map((id) => `<p><a id="${id}" href="?person=${id}">${id}</a></p>`);
      response.writeHead(200, { "content-type": "text/html" });
      return response.end(`<!DOCTYPE html><html lang="de"><title>Anbieter</title><h1>Anmelden</h1>${links.join("")}</html>`);
    }
    const result = person === "nobody" ? { error: "access_denied", error_description: "abgebrochen" } : { login: { accountId: person } };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  await new Promise((resolve) => server.listen(port, "localhost", resolve));
  return { issuer, secret, stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

for (const inIdToken of [true, false]) {
  describe(inIdToken ? "claims in the ID token" : "claims at the userinfo address", () => {
    let office, provider;
    before(async () => {
      // The provider must know the office's address, and the office the provider's: the port is chosen first.
      const port = await freePort();
      provider = await startProvider(`http://127.0.0.1:${port}/login/oidc/callback`, { inIdToken });
      office = await startOffice({
        "server.listen": `127.0.0.1:${port}`, "identity.demo": "false", "payment.provider": "off",
        "identity.oidc_issuer": provider.issuer, "identity.oidc_client_id": "amtsbote",
        "identity.oidc_client_secret": provider.secret, "identity.oidc_scopes": "openid profile email address",
        "identity.oidc_name": "Musterkonto",
      });
    });
    after(async () => {
      await office?.stop();
      await provider?.stop();
    });

    const fresh = async (options) => {
      const context = await browser.newContext({ baseURL: office.url, locale: "de-DE", ...options });
      const page = await context.newPage();
      page.complaints = [];
      page.on("console", (message) => { if (/Content Security Policy/.test(message.text())) page.complaints.push(message.text()); });
      return page;
    };
    const logIn = async (page, person) => {
      await page.getByRole("button", { name: "Anmelden mit Musterkonto" }).click();
      await page.waitForURL(/\/interaction\//);
      await page.click(`#${person}`);
    };
    const isIn = async (page) => (await page.context().request.get("/portal", { maxRedirects: 0 })).status() === 200;

    test("a login leads back into the conversation, at the level that the provider states", async () => {
      const page = await fresh();
      await page.goto("/chat");
      await say(page, "Ich brauche ein Gesundheitszeugnis");
      assert.match(await choose(page, "Ja, jetzt beginnen"), /Anmeldung/);
      await page.locator("li.ab-message:last-child a", { hasText: "Anmeldung" }).click();
      assert.equal(await page.locator("a[href^='/login/demo']").count(), 0, "no demo login is offered");
      await logIn(page, "erika");
      await page.waitForURL(`${office.url}/chat`);
      assert.deepEqual(page.complaints, []);
      const said = (await since(page, 0)).map((message) => message.text).join("\n");
      assert.match(said, /Ich brauche ein Gesundheitszeugnis/, "it is the same conversation");
      assert.match(said, /angemeldet, Erika/);
      assert.match(said, /Was werden Sie tun\?/, "name, birth date and address are known: the form goes on behind them");
      assert.ok(await isIn(page));
    });

    test("a low level is not enough for what needs a higher one, a high one is", async () => {
      for (const [person, enough] of [["low", false], ["high", true]]) {
        const page = await fresh();
        await page.goto("/login?next=/chat");
        await logIn(page, person);
        await page.waitForURL(`${office.url}/chat`);
        assert.ok(await isIn(page), `${person} is logged in`);
        await say(page, "Ich brauche ein Gesundheitszeugnis");
        const reply = await choose(page, "Ja, jetzt beginnen");
        if (enough) assert.match(reply, /Was werden Sie tun\?/, person);
        else assert.match(reply, /Dafür brauchen wir Ihre Anmeldung/, person);
        await page.context().close();
      }
    });

    test("the way back leads only to this site", async () => {
      for (const [next, ends] of [["/portal", "/portal"], ["https://evil.example/", "/"], ["//evil.example/", "/"], ["/\\evil.example", "/"]]) {
        const page = await fresh();
        await page.goto(`/login?next=${encodeURIComponent(next)}`);
        await logIn(page, "erika");
        await page.waitForURL((url) => url.origin === office.url && !url.pathname.startsWith("/login/oidc"));
        assert.equal(new URL(page.url()).pathname, ends, next);
        await page.context().close();
      }
    });

    /** Goes as far as the answer of the provider and gives it, without showing it to the office. */
    const answerOf = async (person = "erika") => {
      const client = new Client(office), other = new Client({ url: provider.issuer });
      await client.get("/login?next=/chat");
      const path = (answer) => answer.headers.get("location").replace(provider.issuer, "");
      const begun = await client.post("/login/oidc", { next: "/chat" });
      assert.match(begun.headers.get("location"), /code_challenge_method=S256/);
      const asked = await other.get(path(begun));
      const known = await other.get(`${path(asked)}?person=${person}`);
      const answer = new URL((await other.get(path(known))).headers.get("location"));
      assert.equal(answer.origin, office.url);
      return { client, answer };
    };
    const refused = async (client, answer, why) => {
      const { status, said, text } = await client.get(answer.pathname + answer.search);
      assert.ok(status >= 400 && status < 500, `${why}: ${status}`);
      assert.match(said, /Anmeldung hat nicht geklappt/, why);
      assert.match(text, /<main[^]*href="\/(chat|login)/, `${why}: there is a way on`);
      assert.equal((await client.get("/portal")).status, 303, `${why}: nobody is logged in`);
    };

    test("a wrong state, no state, another browser's answer are refused", async () => {
      const wrong = await answerOf();
      wrong.answer.searchParams.set("state", "0".repeat(64));
      await refused(wrong.client, wrong.answer, "a wrong state");
      const none = await answerOf();
      none.answer.searchParams.delete("state");
      await refused(none.client, none.answer, "no state");
      const made = await answerOf();
      made.answer.searchParams.set("code", "made-up");
      await refused(made.client, made.answer, "a made-up code");
      const stolen = await answerOf();
      await refused(new Client(office), stolen.answer, "an answer for another browser");
      const mixed = await answerOf(), own = await answerOf();
      own.answer.searchParams.set("code", mixed.answer.searchParams.get("code"));
      await refused(own.client, own.answer, "another login's code under the own state");
    });

    test("an answer works once", async () => {
      const { client, answer } = await answerOf();
      const kept = new Map(client.cookies);
      const first = await client.get(answer.pathname + answer.search);
      assert.equal(first.status, 303);
      assert.equal(first.headers.get("location"), "/chat");
      assert.equal((await client.get("/portal")).status, 200);
      assert.ok(![...client.cookies.keys()].includes("amtsbote-oidc"), "what the login came back with is forgotten");
      // The same answer again, in a browser that has kept everything from before.
      const again = new Client(office);
      again.cookies = kept;
      await refused(again, answer, "a code that was used");
    });

    test("whoever breaks off is told so and can go on without a login", async () => {
      const page = await fresh();
      await page.goto("/chat");
      await say(page, "Was kostet ein Gesundheitszeugnis?");
      await page.goto("/login?next=/chat");
      await logIn(page, "nobody");
      await page.waitForURL(/\/login\/oidc\/callback/);
      assert.match(await page.innerText("main"), /abgebrochen/);
      assert.ok(!await isIn(page));
      await page.locator("main a[href='/chat']").click();
      assert.match(await page.innerText("#log"), /Was kostet ein Gesundheitszeugnis\?/);
    });
  });
}

test("a provider that does not answer is told in words", async () => {
  const office = await startOffice({ "identity.oidc_issuer": `http://127.0.0.1:${await freePort()}`, "identity.oidc_client_id": "amtsbote", "identity.oidc_client_secret": "x" });
  try {
    const context = await browser.newContext({ baseURL: office.url, locale: "de-DE" }), page = await context.newPage();
    await page.goto("/login?next=/chat");
    await page.locator("form[action='/login/oidc'] button").click();
    await until("words on it", async () => /(nicht geklappt|versuchen Sie es)/.test(await page.innerText("main")));
    assert.ok(await page.locator("main a[href^='/']").count());
    await context.close();
  } finally {
    await office.stop();
  }
});
