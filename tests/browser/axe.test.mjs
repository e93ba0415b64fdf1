// axe finds nothing on any page and in any state, in every look; nothing scrolls sideways at 320 CSS pixels.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";
import { openBrowser, startOffice, until, visitor } from "./lib.mjs";
import { places } from "./places.mjs";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** How a page may look; `cookie` is what the settings page stores, `widthOnly` leaves the rules to the other looks. */
const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "forced colours": { colorScheme: "dark", forcedColors: "active" },
  "320 px": { viewport: { width: 320, height: 640 }, colorScheme: "light" },
  // 1280 px at 400 % are 320 CSS pixels, each drawn with four device pixels.
  "400 % zoom": { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4, widthOnly: true },
  "own settings: dark, 200 %, strong contrast, wide spacing": { cookie: "de.dark.200.1.1.1" },
  "own settings at 320 px": { viewport: { width: 320, height: 640 }, cookie: "de.light.200.1.1.1", widthOnly: true },
};

let browser, office, all;
before(async () => {
  browser = await openBrowser();
  office = await startOffice();
  all = (await places(browser, office)).places;
});
after(async () => {
  await browser?.close();
  await office?.stop();
});

/** What sticks out of the page to the right, for the message. */
const tooWide = () => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1 && !element.closest(".ab-scroll, .ab-skip"))
    .map((element) => `${element.tagName.toLowerCase()}.${element.className}`).slice(0, 5).concat("(the page scrolls sideways)");
};

/** What axe finds on the page as it stands. */
async function rules(page) {
  // The pages have no frames of other sites: the plain way of axe does, which opens no second page each time.
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).setLegacyMode().analyze();
  return violations.flatMap((violation) => violation.nodes.map((node) =>
    `${violation.id}: ${node.target.join(" ")} – ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""}`));
}

/** What is wrong on a page, in the look of its browser. */
async function audit(page, place, { cookie, widthOnly }) {
  await page.context().clearCookies();
  await page.context().addCookies(place.cookies);
  if (cookie && !place.staff) await page.context().addCookies([{ name: "amtsbote-view", value: cookie, url: office.url }]);
  await page.goto(place.path);
  await page.evaluate(() => document.fonts.ready.then(() => true));
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  const found = await page.evaluate(tooWide);
  return widthOnly ? found : found.concat(await rules(page));
}

for (const [look, { cookie, widthOnly, ...options }] of Object.entries(LOOKS)) {
  test(look, async (t) => {
    const { context, page } = await visitor(browser, office, options);
    for (const place of all) {
      await t.test(place.name, async () => assert.deepEqual(await audit(page, place, { cookie, widthOnly }), []));
    }
    await context.close();
  });
}

test("forms with errors: named in the title, told in a summary that has the focus, tied to their fields", async (t) => {
  const forms = {
    status: ["/status", { "#number": "ZZZZ-ZZZZ", "#code": "falsch" }, "#number"],
    accessibility: ["/accessibility", { "#barrier": " " }, "#barrier"],
    "staff login": ["/staff/login", { "#name": "niemand", "#password": "falsches Passwort", "#code": "000000" }, "#name"],
    "staff setup": [all.find((place) => place.name === "staff setup").path, {
      "#display_name": "Herr Kollege", "#name": "herr.kollege", "#password": "kurz", "#code": "000000",
    }, "#password"],
  };
  for (const [name, [path, fields, wrong]] of Object.entries(forms)) {
    await t.test(name, async () => {
      const { context, page } = await visitor(browser, office, { viewport: { width: 320, height: 640 } });
      await page.goto(path);
      await page.evaluate(() => document.querySelectorAll("main form").forEach((form) => { form.noValidate = true; }));
      for (const [field, text] of Object.entries(fields)) await page.fill(field, text);
      await page.click("main form button[type=submit]");
      await page.waitForSelector(".ab-errors");
      assert.match(await page.title(), /^Fehler: /);
      assert.ok(await page.locator(`.ab-errors a[href="${wrong}"]`).count(), "the summary leads to the field");
      await until("the summary to have the focus", () => page.evaluate(() => document.activeElement.classList.contains("ab-errors")));
      assert.deepEqual(await rules(page), []);
      assert.deepEqual(await page.evaluate(tooWide), []);
      assert.equal(await page.evaluate(() => document.querySelector("input[type=password]")?.value ?? ""), "", "no password comes back");
      await context.close();
    });
  }
});

test("everything that can be pressed is at least 24 px large", async () => {
  const { context, page } = await visitor(browser, office, { viewport: { width: 320, height: 640 } });
  const small = [];
  for (const place of all) {
    await context.clearCookies();
    await context.addCookies(place.cookies);
    await page.goto(place.path);
    const found = await page.evaluate(() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), select, textarea")]
      .filter((element) => element.checkVisibility() && !element.closest(".ab-skip") && !element.closest("p:not(.ab-solo, .ab-link, .ab-actions, .ab-back), .ab-prose li"))
      .map((element) => {
        const box = (element.type === "radio" || element.type === "checkbox" ? element.closest(".kern-form-check") : element).getBoundingClientRect();
        return { name: `${element.tagName}.${element.className} ${element.textContent.trim().slice(0, 30)}`, width: box.width, height: box.height };
      })
      .filter((box) => box.width < 24 || box.height < 24)
      .map((box) => `${box.name} ${Math.round(box.width)}×${Math.round(box.height)}`));
    small.push(...found.map((one) => `${place.name}: ${one}`));
  }
  assert.deepEqual(small, []);
  await context.close();
});
