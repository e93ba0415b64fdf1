// The desk by keyboard alone: moving through the inbox, opening a case, the next one of the same list, back; and the
// keys switched off.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { openBrowser, staffLogin, startOffice, visitor } from "./lib.mjs";

let browser, office, page;
before(async () => {
  browser = await openBrowser();
  office = await startOffice({}, { demo: 24 });
  ({ page } = await visitor(browser, office));
  await staffLogin(page, office.logins.find((login) => login.name === "bearbeitung"));
});
after(async () => { await browser?.close(); await office?.stop(); });

const focused = () => page.evaluate(() => document.activeElement?.textContent.trim());
const rows = () => page.locator('[data-ab="row"]').allTextContents();

test("through the inbox, into a case, to the next one and back", async () => {
  await page.goto("/staff/cases?who=nobody");
  const numbers = await rows();
  assert.ok(numbers.length >= 2, "two cases that belong to nobody");
  await page.keyboard.press("j");
  assert.equal(await focused(), numbers[0]);
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  assert.equal(await focused(), numbers[0]);
  await Promise.all([page.waitForURL(`**/staff/case/${numbers[0]}`), page.keyboard.press("Enter")]);
  await Promise.all([page.waitForURL(`**/staff/case/${numbers[1]}`), page.keyboard.press("n")]);
  await page.keyboard.press("m");
  assert.equal(await page.evaluate(() => document.activeElement.id), "note");
  await page.keyboard.type("jung und neu");
  assert.equal(await page.inputValue("#note"), "jung und neu", "in a field the keys are letters");
  await page.evaluate(() => document.activeElement.blur());
  await Promise.all([page.waitForURL("**/staff/cases?who=nobody"), page.keyboard.press("u")]);
  for (const number of numbers.slice(0, -1)) {
    const at = numbers.indexOf(number) + 1;
    await page.goto(`/staff/case/${number}`);
    await Promise.all([page.waitForURL(`**/staff/case/${numbers[at]}`), page.click('[data-ab="next-case"]')]);
  }
  await Promise.all([page.waitForURL(/done=end-of-list/), page.click('[data-ab="next-case"]')]);
  assert.match(await page.textContent(".ab-callout"), /letzte Vorgang dieser Liste/);
});

test("places, the search, the help, and all of it switched off", async () => {
  await page.goto("/staff/cases");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "number");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("g");
  await Promise.all([page.waitForURL("**/staff/chats"), page.keyboard.press("c")]);
  await page.keyboard.press("?");
  assert.ok(await page.isVisible("#keys-on"));
  await page.uncheck("#keys-on");
  await page.goto("/staff/cases");
  await page.keyboard.press("j");
  assert.ok(!(await rows()).includes(await focused()), "switched off");
});
