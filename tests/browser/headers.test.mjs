// What every answer must carry, what a browser must not be able to do, and what belongs to whom.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { openBrowser, say, since, startOffice, until, visitor } from "./lib.mjs";
import { Client, begin, formId, places } from "./places.mjs";

const HEALTH = "Ich brauche ein Gesundheitszeugnis";
let browser, office, all, filled;
before(async () => {
  browser = await openBrowser();
  office = await startOffice();
  filled = await places(browser, office);
  all = filled.places;
});
after(async () => {
  await browser?.close();
  await office?.stop();
});

const asClient = (place, where = office) => {
  const client = new Client(where);
  for (const { name, value } of place.cookies) client.cookies.set(name, value);
  return client;
};

test("every page has safe headers and is kept by nobody", async () => {
  for (const place of all) {
    const { headers, text } = await asClient(place).get(place.path);
    const policy = headers.get("content-security-policy") ?? "";
    for (const word of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]) {
      assert.ok(policy.includes(word), `${place.name}: the policy lacks ${word}: ${policy}`);
    }
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/, place.name);
    assert.equal(headers.get("x-content-type-options"), "nosniff", place.name);
    assert.equal(headers.get("cache-control"), "no-store", place.name);
    assert.match(headers.get("referrer-policy") ?? "", /same-origin|no-referrer/, place.name);
    assert.match(headers.get("content-type"), /^text\/html; charset=utf-8$/, place.name);
    assert.doesNotMatch(text, /<script>|<style|\sstyle="|\son[a-z]+="|javascript:/i, `${place.name}: script or style in the page`);
  }
});

test("the static files are typed, compressed, kept for a year under their hash, and only there", async () => {
  const { text } = await new Client(office).get("/chat");
  const files = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
  assert.ok(files.length >= 5, files.join());
  const types = { css: "text/css; charset=utf-8", js: "text/javascript; charset=utf-8", svg: "image/svg+xml", woff2: "font/woff2" };
  for (const path of files) {
    const { headers, status } = await new Client(office).get(path, { "accept-encoding": "gzip" });
    assert.equal(status, 200, path);
    assert.equal(headers.get("content-type"), types[path.split("?")[0].split(".").pop()], path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.match(headers.get("cache-control"), /max-age=31536000.*immutable/, path);
  }
  const widget = await new Client(office).get("/static/widget.js");
  assert.doesNotMatch(widget.headers.get("cache-control"), /immutable/, "other sites name /static/widget.js without a hash: a new version must reach them");
  for (const path of ["/static/templates/base.html", "/static/../Cargo.toml", "/static/%2e%2e/Cargo.toml", "/static/nothing.css"]) {
    assert.equal((await new Client(office).get(path)).status, 404, path);
  }
});

test("cookies are out of reach of scripts and other sites", async () => {
  const client = new Client(office), seen = [];
  const look = (answer) => seen.push(...answer.headers.getSetCookie().filter((line) => !/=;/.test(line)));
  look(await client.get("/chat"));
  look(await client.post("/language", { language: "en", back: "/chat" }));
  look(await client.post("/settings", { theme: "dark", text_size: "150", contrast: "on", spacing: "on", motion: "on", back: "/chat" }));
  look(await client.post("/login/demo", { person: "erika", trust: "T2", next: "/chat" }));
  assert.ok(seen.length >= 4, seen.join("\n"));
  for (const line of seen) {
    assert.match(line, /; HttpOnly/i, line);
    assert.match(line, /; SameSite=(Lax|Strict)/i, line);
    assert.doesNotMatch(line, /; Domain=/i, line);
  }
  const staff = (await filled.desk.context.cookies()).find((cookie) => cookie.name === "amtsbote-staff");
  assert.ok(staff.httpOnly && staff.sameSite === "Strict", JSON.stringify(staff));
});

test("behind https cookies are sent only there, and the browser stays there", async () => {
  const secure = await startOffice({ "server.public_url": "https://chat.example.org" });
  try {
    const answer = await new Client(secure).get("/chat");
    for (const line of answer.headers.getSetCookie()) assert.match(line, /; Secure/i);
    assert.match(answer.headers.get("strict-transport-security") ?? "", /max-age=\d{7,}/);
  } finally {
    await secure.stop();
  }
});

test("no page asks another host for anything, none breaks its own policy", async () => {
  for (const place of all) {
    const { context, page, foreign, complaints } = await visitor(browser, office);
    await context.addCookies(place.cookies);
    await page.goto(place.path);
    await page.waitForLoadState("load");
    assert.deepEqual(foreign, [], place.name);
    assert.deepEqual(complaints, [], place.name);
    await context.close();
  }
});

test("the first load of the chat is small: at most 120 kB over the wire", async () => {
  const { context, page } = await visitor(browser, office);
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  await wire.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  const loaded = new Map();
  wire.on("Network.responseReceived", (event) => loaded.set(event.requestId, event.response.url));
  wire.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  await page.goto("/chat", { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready.then(() => true));
  assert.ok(loaded.size >= 5, [...loaded.values()].join());
  console.log(`first load of the chat: ${bytes} bytes over the wire`);
  assert.ok(bytes > 20_000 && bytes <= 120_000, `${bytes} bytes: ${[...loaded.values()].join(" ")}`);
  await context.close();
});

test("every link and every form of every page leads somewhere", async () => {
  const missing = new Set(), tried = new Set();
  for (const place of all) {
    const client = asClient(place);
    const { text } = await client.get(place.path);
    for (const [, path] of text.matchAll(/<a [^>]*href="(\/[^"#]*)/g)) {
      const key = `${place.staff ? "staff" : [...client.cookies.values()].join()} ${path}`;
      if (tried.has(key)) continue;
      tried.add(key);
      const { status } = await client.get(path.replaceAll("&amp;", "&"));
      if (status >= 400) missing.add(`GET ${path} → ${status} (from ${place.name})`);
    }
    for (const [, path] of text.matchAll(/<form [^>]*method="post" action="([^"]+)"/g)) {
      const route = path.replace(/[0-9A-Z]{8,}|[0-9a-f]{20,}/g, "…").split("?")[0];
      if (tried.has(route)) continue;
      tried.add(route);
      // A form without any field is refused or changes nothing; only "there is no such page" is wrong here.
      const { status } = await client.ask(path.split("?")[0].replace(/[0-9A-Z]{8,}/, "0"), { method: "OPTIONS" });
      if (status === 404) missing.add(`POST ${route} → 404 (from ${place.name})`);
    }
  }
  assert.deepEqual([...missing], []);
});

test("a form of another site is refused, in words, and has no effect", async () => {
  const client = new Client(office);
  await client.get("/chat");
  const count = async () => (await client.get("/chat")).text.split('<li id="m-').length;
  const before = await count();
  for (const headers of [
    { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { origin: "https://evil.example" },
    { origin: "null" }, { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  ]) {
    const { status, said } = await client.post("/chat", { message_id: formId(), text: "Hallo" }, headers);
    assert.ok([400, 403, 422].includes(status), `${JSON.stringify(headers)} got ${status}`);
    assert.match(said, /neu|noch einmal/);
  }
  const wrong = await client.post("/chat", { csrf: "0".repeat(64), message_id: formId(), text: "Hallo" });
  assert.ok(wrong.status >= 400, `a wrong token got ${wrong.status}`);
  const none = await client.ask("/chat", { fields: { message_id: formId(), text: "Hallo" } });
  assert.ok(none.status >= 400, `no token got ${none.status}`);
  assert.equal(await count(), before);
  const own = await client.post("/chat", { message_id: formId(), text: "Hallo" }, { origin: office.url, "sec-fetch-site": "same-origin" });
  assert.equal(own.status, 303);
  // Without a session, too: nobody is logged in by another site's form.
  const login = await new Client(office).post("/login/demo", { person: "erika", trust: "T2", next: "/chat" }, { origin: "https://evil.example" });
  assert.ok(login.status >= 400, `a foreign login form got ${login.status}`);
});

test("a conversation belongs to its session, a case to its person", async () => {
  const own = new Client(office), other = new Client(office);
  await own.get("/chat");
  await own.say("Mein Geheimwort ist Zwiebelfisch");
  assert.match((await own.get("/chat")).text, /Zwiebelfisch/);
  await other.get("/chat");
  for (const path of ["/chat", "/chat/print", "/chat/transcript.txt", "/privacy"]) assert.doesNotMatch((await other.get(path)).text, /Zwiebelfisch/, path);

  const stranger = new Client(office);
  await stranger.login("mehmet", "T3");
  const { number } = filled.filed;
  for (const path of [`/portal/${number}`, `/portal/${number}/paper`, `/copy/${number}`, "/portal/ZZZZZZZZ"]) {
    const { status, said } = await stranger.get(path);
    assert.equal(status, 404, path);
    assert.doesNotMatch(said, /Musterfrau|Musterweg/, path);
  }
  const { said: portal } = await stranger.get("/portal");
  assert.ok(!portal.includes(number));
  const pay = all.find((place) => place.name === "pay").path;
  for (const client of [stranger, new Client(office)]) {
    const { status, said } = await client.get(pay);
    assert.ok([303, 404].includes(status), `a stranger's payment gives ${status}`);
    assert.doesNotMatch(said, new RegExp(number));
  }
  const unknown = new Client(office);
  const { status, headers } = await unknown.get(`/portal/${number}`);
  assert.equal(status, 303);
  assert.match(headers.get("location"), /^\/login\?next=/);
  for (const path of ["/staff/cases", `/staff/case/${number}`, "/staff/chats", "/staff/people"]) {
    const answer = await asClient({ cookies: all.find((place) => place.name === "portal").cookies }).get(path);
    assert.equal(answer.status, 303, path);
    assert.match(answer.headers.get("location"), /^\/staff\/login/, path);
  }
});

test("logging out ends the session at once, also for the page that is still open", async () => {
  const client = new Client(office);
  await client.login("erika");
  assert.equal((await client.get("/portal")).status, 200);
  const kept = new Map(client.cookies);
  assert.equal((await client.post("/logout")).status, 303);
  client.cookies = kept;
  assert.equal((await client.get("/portal")).status, 303, "the old cookie is worth nothing");
});

test("logging in changes the session's name", async () => {
  const client = new Client(office);
  await client.get("/chat");
  const before = client.cookies.get("amtsbote");
  await client.login("erika");
  assert.notEqual(client.cookies.get("amtsbote"), before);
});

test("the same form twice has one effect, also at the same time", async () => {
  const client = new Client(office);
  await client.get("/chat");
  const message_id = formId(), headers = { "x-requested-with": "amtsbote" };
  const send = (text) => client.ask("/chat", { fields: { csrf: client.csrf, message_id, text }, headers });
  const answers = await Promise.all([send("Was kostet ein Wunschkennzeichen?"), send("Was kostet ein Wunschkennzeichen?"), send("Was kostet ein Wunschkennzeichen?")]);
  answers.push(await send("Was kostet ein Wunschkennzeichen?"));
  for (const answer of answers) assert.equal(answer.status, 200, answer.said);
  assert.equal((await client.get("/chat")).text.split("Was kostet ein Wunschkennzeichen?").length - 1, 1);
  // Another text under the same name is another message: nothing that somebody typed is lost.
  assert.equal((await send("Wie lange dauert das?")).status, 200);
  assert.match((await client.get("/chat")).text, /Wie lange dauert das\?/);

  const twice = await begin(office, "erika", HEALTH);
  await twice.fill((said) => /Erklären und absenden/.test(said) && /lesen Sie die Erklärung/.test(said));
  const declare = twice.choices().find((choice) => choice.label.includes("Erklären")).value;
  const fields = { csrf: twice.csrf, message_id: formId(), choice: declare };
  const cases = async () => new Set((await twice.get("/portal")).text.match(/\/portal\/[0-9A-Z]{8}/g)).size;
  const earlier = await cases();
  await Promise.all([1, 2, 3].map(() => twice.ask("/chat", { fields, headers })));
  assert.equal(await cases(), earlier + 1, "three clicks file one application");
});

test("whoever asks too often is told to wait, in words", async () => {
  const strict = await startOffice({ "limits.requests_per_minute": "5" });
  try {
    const client = new Client(strict);
    await client.get("/chat");
    let answer;
    for (let turn = 0; turn < 8; turn += 1) {
      answer = await client.post("/chat", { message_id: formId(), text: "Hallo" }, { "x-requested-with": "amtsbote" });
      if (answer.status === 429) break;
    }
    assert.equal(answer.status, 429);
    assert.match(answer.headers.get("content-type"), /^text\/plain; charset=utf-8/);
    assert.match(answer.said, /warten Sie eine Minute/);
    const page = await client.post("/chat", { message_id: formId(), text: "Hallo" });
    assert.equal(page.status, 429);
    assert.match(page.said, /warten Sie eine Minute/);
    assert.equal((await client.get("/chat")).status, 200, "reading goes on");
  } finally {
    await strict.stop();
  }
});

test("the conversation can be erased, and then it is gone", async () => {
  const { context, page } = await visitor(browser, office, { javaScriptEnabled: false });
  await page.goto("/chat");
  await say(page, "Mein Geheimwort ist Zwiebelfisch");
  await page.goto("/privacy#delete");
  await page.check("#confirm");
  await page.click("#delete button[type=submit]");
  await page.waitForLoadState();
  assert.match(await page.innerText("main"), /gelöscht/i);
  await page.goto("/chat");
  assert.doesNotMatch(await page.innerText("main"), /Zwiebelfisch/);
  await context.close();
});

/** A page of another origin that carries the line of the widget. */
function hostPage(where, line) {
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(`<!DOCTYPE html><html lang="de"><title>Der Kreis</title><body><h1>Der Kreis</h1>${line(where)}</body></html>`);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({
    url: `http://127.0.0.1:${server.address().port}`, stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }),
  })));
}

// The widget's button lies in a closed shadow tree: it is found as people with a keyboard find it.
const onWidget = (page) => page.evaluate(() => document.activeElement?.id === "amtsbote-widget");
async function openWidget(page) {
  await until("the button of the widget", () => page.locator("#amtsbote-widget").count());
  await page.keyboard.press("Tab");
  assert.ok(await onWidget(page), "the button is the first stop of the page");
  await page.keyboard.press("Enter");
}

test("the widget works on a site that is allowed, also for somebody who has been to the chat before", async () => {
  let target = "";
  const host = await hostPage(null, () => `<script src="${target}/static/widget.js" data-language="de" defer></script>`);
  const embedding = await startOffice({ "widget.allowed_origins": `["${host.url}"]` });
  target = embedding.url;
  try {
    for (const known of [false, true]) {
      const context = await browser.newContext({ locale: "de-DE" });
      const page = await context.newPage();
      if (known) {
        await page.goto(`${embedding.url}/chat`);
        await say(page, "Was kostet ein Wunschkennzeichen?");
      }
      const loaded = [];
      page.on("request", (request) => loaded.push(request.url()));
      await page.goto(host.url);
      await until("the widget", () => page.locator("#amtsbote-widget").count());
      assert.ok(!loaded.some((url) => url.includes("/chat")), "nothing is loaded before the button is pressed");
      await openWidget(page);
      const frame = await until("the chat in the frame", async () => {
        const found = page.frames().find((one) => one.url().startsWith(`${embedding.url}/chat`));
        return found && await found.locator("#text").count() && found;
      });
      const before = await frame.evaluate(() => Number(document.querySelector("li.ab-message:last-child").dataset.seq));
      await frame.fill("#text", HEALTH);
      await frame.click(".ab-send");
      const said = await until(`an answer in the frame (${known ? "known" : "new"} visitor)`, async () => {
        const problem = (await frame.locator("[data-ab=error]").innerText()).trim();
        assert.equal(problem, "", "the chat in the frame refuses");
        return (await since(frame, before)).find((message) => !message.you);
      }, 8000);
      assert.match(said.text, /Infektionsschutzgesetz/);
      await frame.focus("#text");
      await page.keyboard.press("Escape");
      await until("the focus to be back on the button", () => onWidget(page));
      await context.close();
    }
  } finally {
    await embedding.stop();
    await host.stop();
  }
});

test("the widget speaks the language of its line", async () => {
  const { page, context } = await visitor(browser, office);
  await page.goto("/chat?embed=1&language=en");
  assert.equal(await page.getAttribute("html", "lang"), "en");
  await context.close();
});

test("a site that is not allowed can't show the chat", async () => {
  let target = "";
  const host = await hostPage(null, () => `<script src="${target}/static/widget.js" defer></script>`);
  const embedding = await startOffice({ "widget.allowed_origins": '["https://www.example.org"]' });
  target = embedding.url;
  try {
    const context = await browser.newContext({ locale: "de-DE" });
    const page = await context.newPage(), refused = [];
    page.on("console", (message) => { if (/frame-ancestors|refused to frame|Framing/i.test(message.text())) refused.push(message.text()); });
    await page.goto(host.url);
    await openWidget(page);
    await until("the browser to refuse the frame", () => refused.length > 0);
    const frames = page.frames().slice(1);
    for (const frame of frames) assert.equal(await frame.locator("#text").count(), 0);
    // No page outside the frame may be framed by anybody either.
    const policy = (await new Client(embedding).get("/portal")).headers.get("content-security-policy");
    assert.match(policy, /frame-ancestors 'none'/);
    const staff = (await new Client(embedding).get("/staff/login?embed=1")).headers.get("content-security-policy");
    assert.match(staff, /frame-ancestors 'none'/, "the desk is never framed");
    await context.close();
  } finally {
    await embedding.stop();
    await host.stop();
  }
});
