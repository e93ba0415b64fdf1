// What a screen reader says and where the keyboard is: each message once and whole, in order, never again after the
// stream was cut; nothing that arrives moves the focus; a whole application by keyboard alone.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PICTURE, demoLogin, firstClerk, newest, openBrowser, say, since, startOffice, until, visitor } from "./lib.mjs";
import { Client } from "./places.mjs";

// The reader is a module for browsers; the page's policy refuses foreign modules, so it comes in as plain text.
const bundle = fileURLToPath(import.meta.resolve("@guidepup/virtual-screen-reader/browser.js"));
const READER = readFileSync(bundle, "utf8").replace(/export\s*\{([^{}]*)\};?(?=[^{}]*$)/, (_, names) =>
  `window.reader = {${names.replace(/([\w$]+) as (\w+)/g, "$2: $1")}};`);

let browser, office;
before(async () => {
  browser = await openBrowser();
  office = await startOffice();
});
after(async () => {
  await browser?.close();
  await office?.stop();
});

/** Lets the screen reader read the page that is open. */
async function listen(page) {
  await page.evaluate(`${READER};0`);
  await page.evaluate(async () => { await window.reader.virtual.start({ container: document.body }); });
}

/** Everything that was announced by live regions. */
const announced = async (page) => (await page.evaluate(() => window.reader.virtual.spokenPhraseLog()))
  .filter((phrase) => /^(polite|assertive): /.test(phrase));

const hears = (page, words) => until(`"${words}" to be announced`, async () =>
  (await announced(page)).find((phrase) => phrase.includes(words)));

const times = (phrases, words) => phrases.filter((phrase) => phrase.includes(words)).length;

/** The same visitor without the page: what it sends arrives there over the stream. */
async function twin(context, where = office) {
  const client = new Client(where);
  for (const { name, value } of await context.cookies()) client.cookies.set(name, value);
  await client.get("/chat");
  return client;
}

/** Writes down where the focus goes from now on, beside what the person does. */
const watchFocus = (page) => page.evaluate(() => {
  window.moved = [];
  document.addEventListener("focusin", (event) => window.moved.push(event.target.id || event.target.textContent.trim()), true);
  document.addEventListener("focusout", (event) => { if (!event.relatedTarget) window.moved.push("(lost)"); }, true);
});
const focusMoves = (page) => page.evaluate(() => window.moved);

test("the log is there before the first message, polite, named, and never rebuilt", async () => {
  const { status, text } = await new Client(office).get("/chat");
  assert.equal(status, 200);
  assert.match(text, /<div id="log"[^>]*role="log"[^>]*aria-live="polite"[^>]*aria-labelledby="log-title"/);
  assert.match(text, /role="status"/);
  assert.doesNotMatch(text, /<li[^>]*aria-label/, "a label on a message would be read instead of it");
  const { page, context } = await visitor(browser, office);
  await page.goto("/chat");
  await page.evaluate(() => {
    window.taken = 0;
    window.log = document.getElementById("log");
    new MutationObserver((changes) => {
      for (const change of changes) for (const node of change.removedNodes) if (node.nodeType === 1) window.taken += 1;
    }).observe(window.log.querySelector("ol"), { childList: true });
  });
  await say(page, "Was kostet ein Wunschkennzeichen?");
  await say(page, "Wie lange dauert das?");
  assert.ok(await page.evaluate(() => window.log === document.getElementById("log") && window.log.isConnected));
  assert.equal(await page.evaluate(() => window.taken), 0, "no message is taken out again");
  const seqs = await page.$$eval("li.ab-message", (items) => items.map((item) => Number(item.dataset.seq)));
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), "in order, each once");
  await context.close();
});

test("each message is announced once, whole and in order; the focus stays in the field", async () => {
  const { page, context } = await visitor(browser, office);
  await page.goto("/chat");
  await listen(page);
  await page.focus("#text");
  await watchFocus(page);
  const asked = ["Was kostet ein Wunschkennzeichen?", "Vielen Dank", "Leistungen"];
  for (const text of asked) {
    const before = await newest(page);
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
    await until("the answer", async () => (await since(page, before)).some((message) => !message.you));
    assert.equal(await page.inputValue("#text"), "", "the field is empty for the next words");
  }
  await page.keyboard.type("Guten Tag");
  await page.keyboard.press("Enter");
  await hears(page, "Schön, dass Sie da sind");
  const phrases = await announced(page);
  for (const text of asked) assert.equal(times(phrases, text), 1, `"${text}" in ${phrases.join("\n")}`);
  // Whole: every piece of text of every reply is in exactly one phrase, in the order of the page.
  const pieces = await page.$$eval("li.ab-message:not(:first-child)", (items) => items.map((item) =>
    [...item.querySelectorAll(".ab-text, .ab-question-text, dt, dd, .ab-choice-label")].map((part) => part.textContent.trim().replace(/\s+/g, " "))));
  let place = 0;
  for (const message of pieces) {
    const at = phrases.findIndex((phrase, index) => index >= place && message.every((piece) => phrase.includes(piece)));
    assert.ok(at >= place, `not announced whole, or out of order: ${message.join(" | ")}`);
    place = at + 1;
  }
  assert.equal(phrases.length, pieces.length, `nothing else is announced: ${phrases.join("\n")}`);
  assert.deepEqual(await focusMoves(page), []);
  await context.close();
});

test("a greeting that is already there is not announced, nor is anything after a reload", async () => {
  const { page, context } = await visitor(browser, office);
  await page.goto("/chat");
  await say(page, "Was kostet ein Wunschkennzeichen?");
  await page.reload();
  await listen(page);
  const other = await twin(context);
  await other.say("Vielen Dank");
  await hears(page, "Gern geschehen");
  const phrases = await announced(page);
  assert.equal(times(phrases, "Guten Tag!"), 0);
  assert.equal(times(phrases, "Wunschkennzeichen reservieren"), 0);
  await context.close();
});

test("what arrives by itself never moves focus, text or caret, and stays below what is read", async () => {
  const { page, context } = await visitor(browser, office);
  await page.goto("/chat");
  await say(page, "Was kostet ein Wunschkennzeichen?");
  await page.fill("#text", "Ich schreibe gerade an etwas");
  await page.evaluate(() => { document.getElementById("text").setSelectionRange(4, 12); scrollTo({ top: 0, behavior: "instant" }); });
  await page.focus("#text");
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
  await until("the page to be at its top", () => page.evaluate(() => scrollY === 0));
  await watchFocus(page);
  const other = await twin(context), before = await newest(page);
  await other.say("Vielen Dank");
  await until("the message", async () => (await since(page, before)).length > 0);
  assert.deepEqual(await focusMoves(page), []);
  assert.deepEqual(await page.evaluate(() => {
    const field = document.getElementById("text");
    return [document.activeElement.id, field.value, field.selectionStart, field.selectionEnd];
  }), ["text", "Ich schreibe gerade an etwas", 4, 12]);
  // Whoever reads further up is told, not moved; the button leads there.
  await until("the button", () => page.isVisible("[data-ab=new]"));
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.click("[data-ab=new]");
  await until("the new message to have the focus", () => page.evaluate(() => document.activeElement.classList.contains("ab-message")));
  assert.ok(!await page.isVisible("[data-ab=new]"));
  await context.close();
});

test("after a cut of the stream nothing is lost and nothing is announced twice", async () => {
  const own = await startOffice();
  try {
    const { page, context } = await visitor(browser, own);
    await page.goto("/chat");
    await listen(page);
    await say(page, "Was kostet ein Wunschkennzeichen?");
    await hears(page, "Wunschkennzeichen reservieren");
    await page.focus("#text");
    await watchFocus(page);

    // The program is killed while the page is open and comes back; what is said meanwhile arrives afterwards.
    await own.halt(true);
    await own.start();
    const other = await twin(context, own);
    await other.say("Vielen Dank");
    await until("the message after the cut", async () => /Gern geschehen/.test(await page.innerText("#log")), 60_000);
    await hears(page, "Gern geschehen");

    // While it is away: sending says so at once, keeps the text, and goes out once when it is back.
    await own.halt(true);
    await page.fill("#text", "Wie lange dauert das?");
    await page.focus("#text");
    await page.keyboard.press("Enter");
    await hears(page, "Ihre Nachricht ist noch nicht angekommen");
    assert.equal(await page.inputValue("#text"), "Wie lange dauert das?");
    await own.start();
    await page.getByRole("button", { name: "Noch einmal senden" }).click();
    await until("the answer", async () => {
      const said = await page.$$eval("li.ab-message.ab-you", (items) => items.map((item) => item.innerText));
      return said.filter((text) => text.includes("Wie lange dauert das?")).length === 1;
    });
    await say(page, "Auf Wiedersehen");
    await hears(page, "Ihre Angaben bleiben gespeichert, Sie können jederzeit weitermachen");
    const phrases = await announced(page);
    for (const words of ["Was kostet ein Wunschkennzeichen?", "kostet 10,20", "Gern geschehen", "Wie lange dauert das?", "Auf Wiedersehen! "]) {
      assert.equal(times(phrases, words), 1, `"${words}" in\n${phrases.join("\n")}`);
    }
    assert.equal(times(phrases, "noch nicht angekommen"), 1);
    const items = await page.$$eval("li.ab-message", (list) => list.map((item) => item.id));
    assert.equal(new Set(items).size, items.length);
    await context.close();
  } finally {
    await own.stop();
  }
});

test("new messages can be paused, and come in one go afterwards", async () => {
  const { page, context } = await visitor(browser, office);
  await page.goto("/chat");
  await page.click(".ab-menu > summary");
  await page.click("[data-ab=pause]");
  assert.equal(await page.getAttribute("[data-ab=pause]", "aria-pressed"), "true");
  assert.match(await page.innerText("[role=status]"), /Angehalten/);
  const other = await twin(context), before = await newest(page);
  await other.say("Vielen Dank");
  await other.say("Leistungen");
  assert.equal(await newest(page), before);
  await page.click("[data-ab=pause]");
  await until("both answers", async () => (await since(page, before)).filter((message) => !message.you).length === 2);
  await context.close();
});

test("a person's answer is announced once, with who it is", async () => {
  const own = await startOffice();
  try {
    const { page: desk } = await firstClerk(browser, own);
    const { page, context } = await visitor(browser, own);
    await page.goto("/chat");
    await page.getByRole("button", { name: "Mit einem Menschen sprechen" }).click();
    await until("the queue", async () => /warten auf einen Menschen/.test(await page.innerText("main")));
    await listen(page);
    await page.focus("#text");
    await watchFocus(page);
    await desk.goto("/staff/chats");
    await desk.click("main li form button");
    await desk.waitForURL(/\/staff\/chat\//);
    for (const text of ["Hier ist Frau Beispiel.", "Ich sehe gleich nach."]) {
      await desk.fill("#text", text);
      await desk.click("form.ab-answer button[type=submit]");
      await desk.waitForLoadState();
    }
    // The page may be drawn anew when a person joins: then the reader begins again, and hears only what is new.
    await until("both answers on the page", async () => /Ich sehe gleich nach/.test(await page.innerText("#log")));
    assert.equal((await page.innerText("#log")).split("Hier ist Frau Beispiel.").length - 1, 1);
    const said = await page.$$eval("li.ab-person", (items) => items.map((item) => item.querySelector("h3").textContent.trim()));
    assert.ok(said.every((who) => /Beispiel|Mensch/.test(who)), `a person's message says who writes: ${said.join()}`);
    if (await page.evaluate(() => Boolean(window.reader))) {
      const phrases = await announced(page);
      assert.equal(times(phrases, "Hier ist Frau Beispiel."), 1, phrases.join("\n"));
      assert.equal(times(phrases, "Ich sehe gleich nach."), 1);
      assert.deepEqual(await focusMoves(page), []);
    }
    await context.close();
  } finally {
    await own.stop();
  }
});

/** Goes with Tab (or Shift+Tab) to what is called `name` and presses Enter there; every stop must be seen. */
async function press(page, name, { key = "Tab", enter = "Enter", stops = 60 } = {}) {
  const seen = [];
  for (let stop = 0; stop < stops; stop += 1) {
    await page.keyboard.press(key);
    const look = () => page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return { name: "(page)", body: true, inView: true };
      const box = element.getBoundingClientRect(), style = getComputedStyle(element);
      const label = element.labels?.[0]?.textContent ?? "";
      const middle = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
      return {
        name: `${element.textContent} ${label} ${element.getAttribute("aria-label") ?? ""}`.replace(/\s+/g, " ").trim(),
        ring: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none"
          || (element.matches("input") && getComputedStyle(element, "::before").boxShadow !== "none"),
        inView: box.bottom > 0 && box.top < innerHeight
          && (middle === null || middle === element || element.contains(middle) || middle.contains(element)),
        by: middle ? `${middle.tagName}.${middle.className}` : "",
      };
    });
    // The page may still be gliding there.
    let at = await look();
    await until("the focus to be in view", async () => (at = await look()).inView, 3000).catch(() => {});
    seen.push(at.name);
    if (!at.body) {
      assert.ok(at.ring, `no focus ring on "${at.name}"`);
      assert.ok(at.inView, `"${at.name}" has the focus, but is out of sight or under ${at.by}`);
    }
    if (at.name.includes(name)) {
      await page.keyboard.press(enter);
      return seen;
    }
  }
  throw new Error(`"${name}" is not reached with ${key}: ${seen.join(" → ")}`);
}

test("a whole application by keyboard alone", async () => {
  const { page, context } = await visitor(browser, office);
  await page.goto("/");
  await press(page, "Gespräch beginnen");
  await page.waitForURL(/\/chat/);
  // The skip link leads straight to the field.
  await press(page, "Zur Eingabe springen", { stops: 4 });
  const turn = async (act) => {
    const before = await newest(page);
    await act();
    const messages = await until("an answer", async () => {
      const found = (await since(page, before)).filter((message) => !message.you);
      return found.length > 0 && found;
    });
    await until("the focus to be in the field", () => page.evaluate(() => document.activeElement.id === "text"));
    return messages.map((message) => message.text).join("\n");
  };
  const write = (text) => turn(async () => {
    await page.keyboard.type(text);
    await page.keyboard.press("Enter");
  });
  const choose = (label) => turn(() => press(page, label, { key: "Shift+Tab" }));

  await write("Ich möchte wilden Müll melden");
  let said = await choose("Ja, jetzt beginnen");
  for (let step = 0; step < 25 && !/Vorgangsnummer/.test(said); step += 1) {
    const last = await page.locator("li.ab-message:last-child").innerText();
    const open = await page.locator("li.ab-message:last-child .ab-choice:not([aria-disabled])").allInnerTexts();
    const labels = open.map((text) => text.replace(/^\d+\s*/, "").trim());
    const label = labels.find((one) => /Erklären|absenden|Alles richtig/.test(one)) ?? labels.find((one) => /Überspringen|^Nein$/.test(one)) ?? labels[0];
    if (label) said = await choose(label);
    else said = await write(/Wo liegt/.test(last) ? "Waldweg hinter dem Parkplatz, Büren" : "Alte Reifen");
  }
  assert.match(said, /Vorgangsnummer/, said);
  // The menu opens and closes by keyboard, and Tab leaves every part of the page again.
  await press(page, "Mehr", { key: "Shift+Tab" });
  assert.ok(await page.evaluate(() => document.querySelector(".ab-menu").open));
  await press(page, "Verlauf drucken");
  await page.waitForURL(/\/chat\/print/);
  await context.close();
});

test("login, settings and upload by keyboard", async () => {
  const { page, context } = await visitor(browser, office);
  await page.goto("/settings?back=/chat");
  await press(page, "150 %", { enter: "Space" }).catch(async () => {
    // Radio buttons are one stop: the arrows choose among them.
    await page.goto("/settings?back=/chat");
    await press(page, "100 %", { enter: "ArrowDown" });
  });
  await press(page, "Speichern");
  await page.waitForURL(/saved=1/);
  assert.notEqual(await page.getAttribute("html", "data-text-size"), "100");

  await page.goto("/login/demo?next=/chat");
  await press(page, "Erika Musterfrau", { enter: "Space" });
  await press(page, "Anmelden");
  await page.waitForURL((url) => url.pathname === "/chat");
  const other = await twin(context);
  await other.say("Ich brauche ein Gesundheitszeugnis");
  await other.choose("Ja, jetzt beginnen");
  await other.fill((text) => /Bitte laden Sie hoch/.test(text));
  await page.goto("/chat");
  // The field for a file opens the dialog of the system with the keyboard.
  const field = page.locator("li.ab-message:last-child input[type=file]");
  const dialog = page.waitForEvent("filechooser");
  await field.focus();
  await page.keyboard.press("Space");
  await (await dialog).setFiles(PICTURE);
  const before = await newest(page);
  await press(page, "Datei hochladen", { stops: 5 });
  const answer = await until("the answer", async () => (await since(page, before)).find((message) => !message.you));
  assert.match(answer.text, /ist angekommen/);
  await until("the focus not to be lost", () => page.evaluate(() => document.activeElement !== document.body));
  await context.close();
});

test("a file that is not taken is told at the file, not at the text", async () => {
  for (const [person, scripted] of [["mehmet", true], ["hanna", false]]) {
    const { page, context } = await visitor(browser, office, { javaScriptEnabled: scripted });
    await page.goto("/login/demo?next=/chat");
    await demoLogin(page, person, "T2");
    const other = await twin(context);
    await other.say("Ich brauche ein Gesundheitszeugnis");
    await other.choose("Ja, jetzt beginnen");
    await other.fill((text) => /Bitte laden Sie hoch/.test(text));
    await page.goto("/chat");
    await page.setInputFiles("li.ab-message:last-child input[type=file]", { name: "ausweis.png", mimeType: "image/png", buffer: Buffer.from("kein Bild") });
    await page.click("li.ab-message:last-child .ab-upload button[type=submit]");
    await until("the refusal in words", async () => /(Dateityp|beschädigt|Inhalt der Datei|nicht angenommen)/.test(await page.innerText("[role=alert]")));
    assert.notEqual(await page.getAttribute("#text", "aria-invalid"), "true", "the text field is not what is wrong");
    assert.ok(await page.locator("li.ab-message:last-child input[type=file]").isEnabled(), "another file can be chosen");
    await context.close();
  }
});
