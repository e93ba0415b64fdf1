// What all browser tests share: an office of their own, a browser, and the few acts of citizens and staff.
// Nothing here sleeps: everything waits for a condition, with a deadline.
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { chromium } from "playwright-core";

/** Longest wait for anything, in milliseconds. */
export const PATIENCE = Number(process.env.AMTSBOTE_TEST_PATIENCE || 20_000);

/** A password that the desk takes. */
export const PASSWORD = "sieben blaue Elefanten tanzen";

/** Asks again and again until `ask` gives something true; its last value is the result. */
export async function until(what, ask, patience = PATIENCE) {
  const end = Date.now() + patience;
  let problem;
  for (;;) {
    try {
      const value = await ask();
      if (value) return value;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}${problem ? ` (${problem.message})` : ""}`);
    await pause(25);
  }
}

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts an office with a fresh folder on a free port. `settings`: pairs such as {"limits.upload_mb": "3"}; `demo`: how
 * many made-up cases to fill the folder with first.
 */
export async function startOffice(settings = {}, { demo = 0 } = {}) {
  const binary = process.env.TEST_AMTSBOTE;
  assert.ok(binary && existsSync(binary), "TEST_AMTSBOTE must be the path of the program amtsbote");
  const folder = await mkdtemp(join(tmpdir(), "amtsbote-browser-"));
  const port = await freePort();
  const wanted = {
    "data.folder": join(folder, "data"),
    "server.listen": `127.0.0.1:${port}`,
    "office.chat_hours": "Mo-So 00:00-24:00",
    "limits.requests_per_minute": "100000",
    ...settings,
  };
  const args = Object.entries(wanted).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  // Settings of the caller's environment must not change what is tested; where the trained classifier is kept does not.
  const kept = (name) => !name.startsWith("AMTSBOTE_") || name === "AMTSBOTE_CATALOGUE__MODELS";
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => kept(name)));
  const url = `http://${wanted["server.listen"]}`;
  const office = { url, folder, said: "", complained: "", log: () => office.complained };
  let child, ended = true, over;
  if (demo > 0) {
    const fill = spawn(binary, ["demo", "--folder", wanted["data.folder"], "--cases", String(demo), "--no-serve"], { env, stdio: "ignore" });
    const code = await new Promise((resolve) => fill.on("exit", resolve));
    assert.equal(code, 0, "the demonstration could not be filled");
    const file = await readFile(join(wanted["data.folder"], "DEMO.toml"), "utf8");
    office.logins = file.split("[[login]]").slice(1).map((part) => {
      const value = (key) => part.match(new RegExp(`^${key} = "(.*)"$`, "m"))[1];
      return { name: value("name"), password: value("password"), app: new App(value("totp_secret")) };
    });
  }

  office.start = async () => {
    ended = false;
    const from = office.said.length;
    child = spawn(binary, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (text) => { office.said += text; });
    child.stderr.on("data", (text) => { office.complained += text; });
    over = new Promise((resolve) => child.on("exit", () => { ended = true; resolve(); }));
    await until("the start of the program", async () => {
      assert.ok(!ended, `the program ended:\n${office.said}\n${office.complained}`);
      return office.said.includes("Daten liegen in", from) && (await fetch(`${url}/healthz`)).ok;
    });
  };
  /** Ends the program; `kill` without any warning. The folder stays. */
  office.halt = async (kill = false) => {
    if (ended) return;
    child.kill(kill ? "SIGKILL" : "SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await over;
    clearTimeout(hard);
  };
  office.stop = async () => {
    await office.halt();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await office.start();
  } catch (error) {
    await office.stop();
    throw error;
  }
  const setup = office.said.match(/http\S+\/staff\/setup\/\S+/)?.[0];
  office.setup = setup && url + new URL(setup).pathname;
  return office;
}

/** The browser, as installed. */
export function openBrowser() {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args });
}

/**
 * A visitor with cookies of their own. Every request to another host is cut off and noted in `foreign`; whatever the
 * page throws or its policy refuses is noted in `complaints`.
 */
export async function visitor(browser, office, options = {}) {
  const context = await browser.newContext({
    baseURL: office.url,
    locale: "de-DE",
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  const foreign = [], complaints = [];
  await context.route((url) => url.origin !== office.url && url.protocol !== "data:", (route) => {
    foreign.push(route.request().url());
    return route.abort();
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Uncaught/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  const page = await context.newPage();
  return { context, page, foreign, complaints, scripted: options.javaScriptEnabled !== false };
}

/* ---- chat ---- */

/** The number of the newest message of the page. */
export const newest = (page) => page.evaluate(() => Number(document.querySelector("li.ab-message:last-child")?.dataset.seq ?? 0));

/** Texts of the messages that are newer than `after`, as people read them. */
export const since = (page, after) => page.evaluate((seq) => [...document.querySelectorAll("li.ab-message")]
  .filter((item) => Number(item.dataset.seq) > seq)
  .map((item) => ({ you: item.classList.contains("ab-you"), person: item.classList.contains("ab-person"), text: item.innerText })), after);

/** Does something in the chat and gives the text of what was answered. */
export async function answerTo(page, act) {
  const before = await newest(page);
  await act();
  const messages = await until("an answer in the chat", async () => {
    const found = await since(page, before);
    return found.some((message) => !message.you) && found;
  });
  return messages.filter((message) => !message.you).map((message) => message.text).join("\n");
}

/** Writes something and gives the answer. */
export const say = (page, text) => answerTo(page, async () => {
  await page.fill("#text", text);
  await page.click("form[data-ab=form] button[type=submit], .ab-form button[type=submit]");
});

/** Presses one of the open choices of the newest reply and gives the answer. */
export const choose = (page, label) => answerTo(page, () => openChoice(page, label).click());

/** An open choice. */
export const openChoice = (page, label) =>
  page.locator("li.ab-message:last-child button.ab-choice:not([aria-disabled])").filter({ hasText: label }).first();

/** Uploads a file where the newest reply asks for one and gives the answer. */
export const upload = (page, file) => answerTo(page, async () => {
  await page.setInputFiles("li.ab-message:last-child input[type=file]", file);
  await page.click("li.ab-message:last-child .ab-upload button[type=submit]");
});

/** Logs in as a made-up person on the page of the demo login, on the way to the chat. */
export async function demoLogin(page, person, trust) {
  await page.check(`#person-${person}`);
  await page.check(`#trust-${trust}`);
  await page.click("main form button[type=submit]");
  await page.waitForURL((url) => url.pathname === "/chat");
}

/** A picture of one colour, 64 × 40 points, as PNG. */
function picture() {
  const crc = (bytes) => {
    let rest = 0xffffffff;
    for (const byte of bytes) {
      rest ^= byte;
      for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    }
    return (rest ^ 0xffffffff) >>> 0;
  };
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind, "latin1"), data]), frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const [width, height] = [64, 40], head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const line = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 0xa0)]);
  const points = deflateSync(Buffer.concat(Array.from({ length: height }, () => line)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", points), chunk("IEND", Buffer.alloc(0))]);
}

/** A small file, as from a telephone. */
export const PICTURE = { name: "ausweis.png", mimeType: "image/png", buffer: picture() };

/* ---- staff ---- */

/** The code of an app at a time (RFC 6238, SHA-1, six digits, 30 s). */
export function totp(secret, at = Date.now()) {
  const bits = [...secret.replace(/[\s=]/g, "").toUpperCase()]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const offset = hash[19] & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** An app on a telephone: gives a code that it has not given before, from the window that the desk accepts. */
export class App {
  constructor(secret) { this.secret = secret; this.last = 0; }
  /**
   * The next unused code. The desk takes the step before the present one and the one after it, too, each once: that
   * saves waiting. Shortly before a step ends the one before it would be too old on arrival.
   */
  async code() {
    const now = () => Date.now() / 30_000, step = () => Math.floor(now());
    const next = Math.max(this.last + 1, now() - step() < 0.6 ? step() - 1 : step());
    await until("the next code of the app", () => next <= step() + 1, 70_000);
    this.last = next;
    return totp(this.secret, next * 30_000);
  }
}

/** Makes an account with a setup link; gives name and app. */
export async function setUp(page, link, name, displayName) {
  await page.goto(link);
  const app = new App((await page.textContent(".ab-secret")).trim());
  await page.fill("#display_name", displayName);
  await page.fill("#name", name);
  await page.fill("#password", PASSWORD);
  await page.fill("#code", await app.code());
  await page.click("main form button[type=submit]");
  await page.waitForURL(/\/staff\/login/);
  return { name, displayName, app };
}

/** Logs in at the desk. */
export async function staffLogin(page, account) {
  await page.goto("/staff/login");
  await page.fill("#name", account.name);
  await page.fill("#password", account.password ?? PASSWORD);
  await page.fill("#code", await account.app.code());
  await page.click("main form button[type=submit]");
  await page.waitForURL((url) => !url.pathname.startsWith("/staff/login"));
}

/** An office with the accounts of one clerk who may do everything. */
export async function firstClerk(browser, office) {
  const desk = await visitor(browser, office);
  const account = await setUp(desk.page, office.setup, "frau.beispiel", "Frau Beispiel");
  await staffLogin(desk.page, account);
  return { ...desk, account };
}
