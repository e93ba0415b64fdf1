// Pictures of the program for the documentation: `TEST_AMTSBOTE=… node tests/browser/screenshots.mjs [folder]`; with a
// folder of its own, those that the documentation does not show are made as well, to be looked at.
// Made from the demonstration (`amtsbote demo`): everybody in them is made up. No picture is larger than 150 kB.
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { openBrowser, staffLogin, startOffice, visitor } from "./lib.mjs";
import { Client, asBrowser, begin } from "./places.mjs";

const LIMIT = 150_000;
const SHOWN = new Set([
  "home-desktop", "chat-desktop", "chat-phone", "chat-dark", "chat-contrast", "chat-400", "chat-simple", "review-desktop",
  "review-phone", "portal-desktop", "portal-phone", "inbox-desktop", "case-desktop", "staff-chat-desktop",
]);
const folder = process.argv[2] ?? new URL("../../docs/screenshots", import.meta.url).pathname;
await mkdir(folder, { recursive: true });

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true };
// 1280 × 800 at 400 %.
const ZOOM = { viewport: { width: 320, height: 200 }, deviceScaleFactor: 4 };
const DARK = { colorScheme: "dark" };
const STRONG = "de.light.100.1.0.0";

/** Saves what the window shows; as JPEG where a PNG would be too large. */
async function shoot(page, name) {
  if (!process.argv[2] && !SHOWN.has(name)) return;
  const png = join(folder, `${name}.png`);
  await page.evaluate(() => document.fonts.ready.then(() => true));
  await page.screenshot({ path: png, animations: "disabled" });
  try {
    execFileSync("pngquant", ["--force", "--skip-if-larger", "--output", png, "64", png]);
  } catch { /* not installed, or no gain */ }
  if ((await stat(png)).size > LIMIT) {
    const jpeg = await page.screenshot({ type: "jpeg", quality: 80, animations: "disabled" });
    await writeFile(join(folder, `${name}.jpg`), jpeg);
    await rm(png);
    console.log(`${name}.jpg ${jpeg.length}`);
  } else {
    console.log(`${name}.png ${(await stat(png)).size}`);
  }
}

const browser = await openBrowser(), office = await startOffice({}, { demo: 24 });
try {
  /** Opens a path as somebody, in a look, and takes its picture. */
  const picture = async (name, client, path, look, { cookie, scroll } = {}) => {
    const { context, page } = await asBrowser(browser, office, client, look);
    if (cookie) await context.addCookies([{ name: "amtsbote-view", value: cookie, url: office.url }]);
    await page.goto(path);
    if (scroll) await page.evaluate(scroll);
    await shoot(page, name);
    await context.close();
  };
  const question = "Ich brauche ein Gesundheitszeugnis", latest = "/chat#latest";

  const nobody = new Client(office);
  await picture("home-desktop", nobody, "/", DESKTOP);
  await picture("home-phone", nobody, "/", PHONE);

  const talk = new Client(office);
  await talk.get("/chat");
  await talk.say(question);
  await picture("chat-desktop", talk, latest, DESKTOP);
  await picture("chat-phone", talk, latest, PHONE);
  await picture("chat-dark", talk, latest, { ...PHONE, ...DARK });
  await picture("chat-contrast", talk, latest, DESKTOP, { cookie: STRONG });
  await picture("chat-forced-colors", talk, latest, { ...DESKTOP, ...DARK, forcedColors: "active" });
  await picture("chat-400", talk, latest, ZOOM);

  const simple = new Client(office);
  await simple.get("/chat");
  await simple.post("/language", { language: "de-simple", back: "/chat" });
  await simple.get("/chat");
  await simple.say(question);
  await picture("chat-simple", simple, latest, PHONE);

  const form = await begin(office, "erika", question);
  await picture("form-phone", form, latest, PHONE);
  await form.fill((said) => /Bitte laden Sie hoch/.test(said));
  await picture("upload-phone", form, latest, PHONE);
  await form.fill((said) => /Bitte prüfen Sie Ihre Angaben/.test(said));
  await picture("review-desktop", form, latest, DESKTOP);
  await picture("review-phone", form, latest, PHONE);
  await form.fill((said) => /Bitte lesen Sie die Erklärung/.test(said));
  await picture("declaration-phone", form, latest, PHONE);
  const { number } = await form.fill();
  await picture("filed-phone", form, latest, PHONE);
  const pay = form.last.match(/href="(\/pay\/[^"]+)"/)[1];
  await picture("pay-desktop", form, pay, DESKTOP);
  await picture("portal-desktop", form, "/portal", DESKTOP);
  await picture("portal-phone", form, `/portal/${number}`, PHONE);
  const queued = new Client(office);
  await queued.get("/chat");
  await queued.say("Was kostet ein Wunschkennzeichen?");
  await queued.say("Mensch");
  await picture("queue-phone", queued, latest, PHONE);

  const desk = await visitor(browser, office, DESKTOP);
  await staffLogin(desk.page, office.logins.find((login) => login.name === "bearbeitung"));
  const staff = { cookies: new Map((await desk.context.cookies()).map(({ name, value }) => [name, value])) };
  await picture("inbox-desktop", staff, "/staff/cases", DESKTOP);
  await picture("inbox-dark", staff, "/staff/cases", { ...DESKTOP, ...DARK });
  await picture("inbox-phone", staff, "/staff/cases", PHONE);
  await desk.page.goto("/staff/cases?state=in_progress");
  const found = await desk.page.getAttribute("tbody a", "href");
  await picture("case-desktop", staff, found, DESKTOP);
  await picture("case-phone", staff, found, PHONE);
  await desk.page.goto("/staff/cases?state=in_progress&service=fuehrerschein-umtausch");
  const draft = await desk.page.locator("tbody a").first().getAttribute("href").catch(() => found);
  await picture("draft-desktop", staff, `${draft ?? found}/draft`, DESKTOP);
  await picture("chats-desktop", staff, "/staff/chats", DESKTOP);
  await desk.page.goto("/staff/chats");
  await desk.page.locator("main li form button").first().click();
  await desk.page.waitForURL(/\/staff\/chat\//);
  await picture("staff-chat-desktop", staff, new URL(desk.page.url()).pathname, DESKTOP);
} finally {
  await browser.close();
  await office.stop();
}
