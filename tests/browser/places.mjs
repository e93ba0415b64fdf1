// An office filled over plain HTTP, and a list of all pages and states that a person can meet in it.
import assert from "node:assert/strict";
import { PICTURE, firstClerk, visitor } from "./lib.mjs";

const entities = { amp: "&", lt: "<", gt: ">", quot: '"', "#34": '"', "#38": "&", "#39": "'", "#60": "<", "#62": ">" };
const plain = (html) => html.replace(/<[^>]*>/g, " ").replace(/&(#?\w+);/g, (all, name) => entities[name] ?? all)
  .replace(/\s+/g, " ").trim();

let counter = 0;
/** A fresh name of a form. */
export const formId = () => `T${Date.now().toString(36)}${(counter += 1).toString(36)}`.toUpperCase().padEnd(26, "0");

/** A visitor without a browser: cookies, the token of the forms, redirects not followed. */
export class Client {
  constructor(office) {
    this.office = office;
    this.cookies = new Map();
    this.csrf = "";
    this.last = "";
  }

  async ask(path, { fields, body, headers = {}, method } = {}) {
    const sent = { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "), "accept-language": "de", ...headers };
    let payload = body;
    if (fields) payload = new URLSearchParams(Object.entries(fields));
    const answer = await fetch(this.office.url + path, { method: method ?? (payload ? "POST" : "GET"), body: payload, headers: sent, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value === "" || /max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const text = await answer.text();
    this.csrf = text.match(/name="csrf" value="([^"]+)"/)?.[1] ?? this.csrf;
    return { status: answer.status, headers: answer.headers, text, said: plain(text) };
  }

  get(path, headers) { return this.ask(path, { headers }); }

  post(path, fields = {}, headers = {}) { return this.ask(path, { fields: { csrf: this.csrf, ...fields }, headers }); }

  async login(person, trust = "T2") {
    await this.get("/chat");
    const answer = await this.post("/login/demo", { person, trust, next: "/chat" });
    assert.equal(answer.status, 303, answer.said);
    this.last = (await this.get("/chat")).text;
  }

  async turn(path, options) {
    const answer = await this.ask(path, options);
    assert.equal(answer.status, 200, answer.said);
    this.last = answer.text;
    return answer.said;
  }

  /** Says something in the chat; gives what was answered. */
  say(text, field = "text") {
    const fields = { csrf: this.csrf, message_id: formId(), [field]: text };
    return this.turn("/chat", { fields, headers: { "x-requested-with": "amtsbote" } });
  }

  /** What can be pressed now: label and value. */
  choices() {
    const newest = this.last.slice(Math.max(0, this.last.lastIndexOf("<li id=")));
    return [...newest.matchAll(/<button class="ab-choice" type="submit" name="choice" value="([^"]*)">([\s\S]*?)<\/button>/g)]
      .map(([, value, label]) => ({ value: plain(value), label: plain(label) }));
  }

  choose(label) {
    const choice = this.choices().find((one) => one.label.includes(label));
    assert.ok(choice, `no choice "${label}" in: ${plain(this.last).slice(-600)}`);
    return this.say(choice.value, "choice");
  }

  upload(file = PICTURE) {
    const body = new FormData();
    body.set("csrf", this.csrf);
    body.set("message_id", formId());
    body.set("file", new Blob([file.buffer], { type: file.mimeType }), file.name);
    return this.turn("/chat/upload", { body, headers: { "x-requested-with": "amtsbote" } });
  }

  /** Goes through a form with the first answer that fits, until `stop` says so or the application is filed. */
  async fill(stop = () => false) {
    for (let step = 0; step < 60; step += 1) {
      const newest = this.last.slice(Math.max(0, this.last.lastIndexOf("<li id=")));
      const said = plain(newest), can = (label) => this.choices().some((one) => one.label.includes(label));
      if (stop(said)) return said;
      const number = said.match(/Vorgangsnummer ([0-9A-Z-]{8,9})/)?.[1];
      if (number) return { number: number.replace("-", ""), code: said.match(/Statusfragen (\S+)/)[1], said };
      if (can("Erklären")) await this.choose("Erklären");
      else if (can("Alles richtig")) await this.choose("Alles richtig");
      else if (can("Das ist alles")) await this.choose("Das ist alles");
      else if (can("Reiche ich nach")) await this.choose("Reiche ich nach");
      else if (can("Überspringen")) await this.choose("Überspringen");
      else if (/type="file"/.test(newest)) await this.upload();
      else if (can("Nein")) await this.choose("Nein");
      else if (this.choices().length > 0) await this.choose(this.choices()[0].label);
      else await this.say(said.match(/Zum Beispiel:? (.+?)$/)?.[1] ?? "Rücken und Knie, gehen fällt schwer. Praxis Beispiel in Büren.");
    }
    throw new Error(`the form has no end: ${plain(this.last).slice(-400)}`);
  }
}

/** Begins an application as a made-up person. */
export async function begin(office, person, question, trust = "T2") {
  const client = new Client(office);
  await client.login(person, trust);
  await client.say(question);
  await client.choose("Ja, jetzt beginnen");
  return client;
}

/** A browser with the session of a client. */
export async function asBrowser(browser, office, client, options) {
  const made = await visitor(browser, office, options);
  await made.context.addCookies([...client.cookies].map(([name, value]) => ({ name, value, url: office.url })));
  return made;
}

/**
 * Everything that can be seen: `{ name, path, cookies, staff }`. Each state has a visitor of its own, so that pages can
 * be loaded again and again in any look.
 */
export async function places(browser, office) {
  const health = "Ich brauche ein Gesundheitszeugnis", found = [];
  const add = (name, path, client, more = {}) => found.push({
    name, path, cookies: client ? [...client.cookies].map(([key, value]) => ({ name: key, value, url: office.url })) : [], ...more,
  });

  add("home", "/", null);
  add("chat fresh", "/chat", null);
  add("settings", "/settings?saved=1&back=%2Fchat", null);
  add("status", "/status", null);
  add("login", "/login?next=/chat", null);
  add("demo login", "/login/demo?next=/chat", null);
  add("privacy", "/privacy", null);
  add("accessibility", "/accessibility", null);
  add("not found", "/gibt-es-nicht", null);
  add("staff login", "/staff/login", null);
  add("staff setup", new URL(office.setup).pathname, null);

  const talk = new Client(office);
  await talk.get("/chat");
  await talk.say(health);
  add("chat with facts", "/chat", talk);
  add("print", "/chat/print", talk);
  add("privacy with a conversation", "/privacy", talk);

  const simple = new Client(office);
  await simple.get("/chat");
  await simple.post("/language", { language: "de-simple", back: "/chat" });
  await simple.get("/chat");
  await simple.say(health);
  add("chat in simple German", "/chat", simple);
  const english = new Client(office);
  await english.get("/chat");
  await english.post("/language", { language: "en", back: "/chat" });
  await english.get("/chat");
  await english.say("I need a health certificate");
  add("chat in English", "/chat", english);

  const form = await begin(office, "mehmet", health);
  add("chat in a form", "/chat", form);
  const upload = await begin(office, "hanna", health);
  await upload.fill((said) => /Bitte laden Sie hoch/.test(said));
  add("chat with an upload", "/chat", upload);
  const review = await begin(office, "mehmet", health);
  await review.fill((said) => /Bitte prüfen Sie Ihre Angaben/.test(said));
  add("chat with the review", "/chat", review);

  const unpaid = await begin(office, "erika", health);
  const filed = await unpaid.fill();
  const pay = unpaid.last.match(/href="(\/pay\/[^"]+)"/)[1];
  add("chat after filing", "/chat", unpaid);
  add("pay", pay, unpaid);
  add("portal", "/portal", unpaid);
  add("case unpaid", `/portal/${filed.number}`, unpaid);
  add("copy", `/copy/${filed.number}`, unpaid);

  const paying = await begin(office, "mehmet", health);
  const second = await paying.fill();
  const payAgain = paying.last.match(/href="(\/pay\/[^"]+)"/)[1];
  await paying.get(payAgain);
  const bank = (await paying.post(payAgain)).headers.get("location");
  add("demo bank", new URL(bank, office.url).pathname, paying);

  const decided = await begin(office, "hanna", "Schwerbehindertenausweis beantragen", "T3");
  const third = await decided.fill();
  add("case open", `/portal/${third.number}`, decided);

  const queued = new Client(office);
  await queued.get("/chat");
  await queued.say(health);
  await queued.say("Mensch");
  add("chat queued", "/chat", queued);
  const helped = new Client(office);
  await helped.get("/chat");
  await helped.say("Was kostet ein Wunschkennzeichen?");
  await helped.say("Mensch");
  add("chat with a person", "/chat", helped);

  // The desk.
  const desk = await firstClerk(browser, office);
  const { page } = desk;
  const staff = { cookies: await desk.context.cookies(), staff: true };
  const addStaff = (name, path) => found.push({ name, path, ...staff });
  const press = async (label) => {
    await page.locator("main button", { hasText: label }).first().click();
    await page.waitForLoadState();
  };
  await page.goto("/staff/chats");
  await page.locator("main li", { hasText: "Wunschkennzeichen" }).locator("button").click();
  await page.waitForURL(/\/staff\/chat\//);
  const chat = new URL(page.url()).pathname;
  await page.fill("#text", "Guten Tag, hier ist Frau Beispiel.");
  await press("Senden");
  for (const label of ["Unterlagen sind vollständig", "Übernehmen"]) {
    await page.goto(`/staff/case/${third.number}`);
    await press(label);
  }
  await page.goto(`/staff/case/${second.number}`);
  await page.locator("#note").fill("Person angerufen, Ausweis liegt vor.");
  await press("Vermerk speichern");
  addStaff("inbox", "/staff/cases");
  addStaff("inbox without rows", "/staff/cases?number=ZZZZ");
  addStaff("staff case", `/staff/case/${third.number}`);
  addStaff("staff case with a note", `/staff/case/${second.number}`);
  addStaff("draft", `/staff/case/${third.number}/draft`);
  addStaff("chats", "/staff/chats");
  addStaff("staff chat", chat);
  addStaff("people", "/staff/people");
  addStaff("staff not found", "/staff/case/ZZZZZZZZ");
  // The first account has used up the first link: a colleague's takes its place.
  await page.goto("/staff/people");
  await page.fill("#invite-name", "Herr Kollege");
  await page.click(".ab-card button[type=submit]");
  if (await page.locator("#code").count()) {
    await page.fill("#code", await desk.account.app.code());
    await page.click("main button[type=submit]");
  }
  const invite = new URL((await page.textContent(".ab-secret")).trim()).pathname;
  found.find((place) => place.name === "staff setup").path = invite;
  return { places: found, desk, filed, second, third, unpaid, talk };
}

