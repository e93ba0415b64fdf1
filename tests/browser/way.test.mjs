// The whole way of an application, once with the page's script and once without any: question, login, form, upload,
// review, declaration, payment; at the desk until the certificate; and a conversation that a person takes over.
import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  PICTURE, answerTo, choose, demoLogin, firstClerk, newest, openBrowser, openChoice, say, setUp, since, staffLogin,
  startOffice, until, upload, visitor,
} from "./lib.mjs";

const run = promisify(execFile);
let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

/** Runs a program that may be missing here; `null` then. */
const ifInstalled = (program, ...args) => run(program, args).catch((error) => {
  if (error.code === "ENOENT") return { stdout: null };
  throw error;
});

/** The text of a PDF that a person may fetch, after `qpdf` has found nothing wrong with it; `null` without the tools. */
async function pdfText(context, office, href, name) {
  const answer = await context.request.get(href);
  assert.equal(answer.status(), 200, href);
  assert.equal(answer.headers()["content-type"], "application/pdf");
  const bytes = await answer.body();
  assert.equal(bytes.subarray(0, 4).toString("latin1"), "%PDF");
  const file = join(office.folder, `${name}.pdf`);
  await writeFile(file, bytes);
  await ifInstalled("qpdf", "--check", file);
  return (await ifInstalled("pdftotext", "-layout", file, "-")).stdout;
}

for (const scripted of [true, false]) {
  describe(scripted ? "with the script" : "without a script", () => {
    let office;
    before(async () => { office = await startOffice(); });
    after(() => office?.stop());
    const citizen = () => visitor(browser, office, { javaScriptEnabled: scripted });

    test("from the question to the certificate", async () => {
      const erika = await citizen(), { page } = erika;

      // Question and answer with sources.
      await page.goto("/");
      await page.click(".ab-start");
      await page.waitForURL(/\/chat/);
      const facts = await say(page, "Ich brauche ein Gesundheitszeugnis");
      assert.match(facts, /Belehrung nach dem Infektionsschutzgesetz/);
      assert.match(facts, /Quelle: § 43 Abs\. 1 IfSG, geprüft am \d\d\.\d\d\.\d{4}/);
      assert.doesNotMatch(facts, /Quelle: Quelle/);

      // Beginning needs a login; after it the form goes on by itself, with what the login says.
      const demand = await choose(page, "Ja, jetzt beginnen");
      assert.match(demand, /brauchen wir Ihre Anmeldung/);
      await page.locator("li.ab-message:last-child a", { hasText: "Anmeldung" }).click();
      await page.waitForURL(/\/login/);
      await page.click("a[href^='/login/demo']");
      await demoLogin(page, "erika", "T2");
      const goesOn = await until("the form after the login", async () => {
        const said = (await since(page, 0)).map((message) => message.text).join("\n");
        return /Was werden Sie tun/.test(said) && said;
      });
      assert.match(goesOn, /angemeldet, Erika/);
      assert.match(goesOn, /aus Ihrer Anmeldung übernommen/);

      // Answers: a choice, a date, skipping.
      assert.match(await choose(page, "Küche"), /Wann fangen Sie/);
      assert.match(await say(page, "irgendwann"), /Datum|verstanden/);
      assert.match(await say(page, "1.12.2026"), /In welcher Sprache/);
      assert.match(await choose(page, "Deutsch"), /jünger als 18/);
      assert.match(await choose(page, "Nein"), /Hinweise/);
      assert.match(await choose(page, "Nein"), /noch etwas sagen/);
      assert.match(await choose(page, "Überspringen"), /Bitte laden Sie hoch: Ausweis/);
      assert.match(await upload(page, PICTURE), /„ausweis\.png“ ist angekommen/);

      // Review: every row can be changed; one is.
      const review = await choose(page, "Das ist alles");
      for (const line of [/Vorname\s+Erika \(aus Ihrer Anmeldung\)/, /Erster Arbeitstag\s+01\.12\.2026/,
        /Küche, Kantine, Imbiss/, /25,00\s€/, /ausweis\.png/]) assert.match(review, line);
      const rows = await page.locator("li.ab-message:last-child .ab-review-row").count();
      assert.equal(await page.locator("li.ab-message:last-child .ab-review-change button").count(), rows);
      await answerTo(page, () => page.getByRole("button", { name: "Ändern Tätigkeit" }).click());
      assert.match(await choose(page, "Bedienung"), /Tätigkeit\s+Bedienung, Ausschank/);
      assert.match(await choose(page, "Alles richtig"), /keine Tatsachen für ein Tätigkeitsverbot/);

      // A plain yes is no declaration.
      assert.match(await say(page, "Ja"), /Erklären und absenden/);
      const filed = await choose(page, "Erklären und absenden");
      assert.match(filed, /Ihr Antrag ist angekommen/);
      const number = filed.match(/Vorgangsnummer\s+([0-9A-Z-]{8,9})/)[1];
      const code = filed.match(/Zugangscode für Statusfragen\s+(\S+)/)[1];

      // Paying: broken off once, then a double click, which pays once.
      await page.locator("li.ab-message:last-child a", { hasText: "bezahlen" }).click();
      await page.waitForURL(/\/pay\//);
      const pay = page.url();
      await page.click("main form button");
      await page.waitForURL(/\/demo-bank\//);
      await page.click("button[value=cancel]");
      await page.waitForURL(/\/pay\//);
      assert.match(await page.innerText("main"), /abgebrochen/);
      await page.click("main form button");
      await page.waitForURL(/\/demo-bank\//);
      await page.dblclick("button[value=pay]");
      await page.waitForURL(pay);
      await until("the payment", async () => {
        await page.goto(pay);
        return /Zahlung ist eingegangen/.test(await page.innerText("main"));
      });
      assert.equal(await page.locator("main form").count(), 0, "what is paid can't be paid again");
      const proof = await pdfText(erika.context, office, await page.getAttribute("main a[href$='/receipt']", "href"), "receipt");
      if (proof !== null) assert.match(proof, /Beleg über Ihre Zahlung[^]*Testzahlung[^]*25,00\s€/);

      // The copy: on a page, and as PDF.
      await page.goto("/chat");
      await page.goto(await page.locator("#log a", { hasText: "Kopie Ihres Antrags" }).last().getAttribute("href"));
      assert.match(await page.innerText("h1"), /Kopie Ihres Antrags/);
      const copy = await pdfText(erika.context, office, await page.getAttribute("main a[href$='/pdf']", "href"), "copy");
      if (copy !== null) {
        for (const words of [/Musterfrau/, /Bedienung, Ausschank/, /ausweis\.png/, /Tätigkeitsverbot/, /25,00\s€/]) {
          assert.match(copy, words);
        }
      }
      await page.goto("/chat");
      await until("the confirmation in the chat", async () => {
        if (!scripted) await page.reload();
        return /Ihre Zahlung von 25,00\s€ .* ist eingegangen/.test(await page.innerText("#log"));
      });
      const confirmed = (await page.innerText("#log")).match(/Ihre Zahlung von/g);
      assert.equal(confirmed.length, 1, "one payment is confirmed once");

      // The desk: first account, login, the case, the certificate.
      const { page: desk, account } = await firstClerk(browser, office);
      assert.equal(new URL(desk.url()).pathname, "/staff/cases");
      await desk.click(`a[href='/staff/case/${number.replace("-", "")}']`);
      assert.match(await desk.innerText("main"), /Bedienung, Ausschank/);
      assert.match(await desk.innerText("main"), /25,00\s€, bezahlt/);
      const act = async (label) => {
        await desk.locator("main button, main a", { hasText: label }).first().click();
        await until(`"${label}" to be done`, async () => await desk.locator("[role=status]").count() > 0
          || /\/draft/.test(desk.url()));
      };
      // The case can be taken before or after it was found complete.
      while (!await desk.getByText(/Entwurf schreiben|Bescheinigung ausstellen|ausstellen/).count()) {
        const next = await desk.locator("main button").filter({ hasText: /^(Übernehmen|Unterlagen sind vollständig)$/ }).first().innerText();
        await act(next.trim());
      }
      await desk.locator("main a, main button").filter({ hasText: /Entwurf schreiben|ausstellen/ }).first().click();
      if (await desk.locator("button[value=propose]").count()) await desk.click("button[value=propose]");
      await until("the certificate to be issued", async () =>
        /bereitgestellt/i.test(await desk.innerText("main")));

      // The citizen opens it in the portal.
      await until("the notice in the chat", async () => {
        if (!scripted) await page.goto("/chat");
        return /liegt ein Dokument für Sie bereit/.test(await page.innerText("#log"));
      });
      await page.goto(`/portal/${number.replace("-", "")}`);
      const link = page.locator("main a", { hasText: "PDF" }).first();
      const text = await pdfText(erika.context, office, await link.getAttribute("href"), "certificate");
      if (text !== null) {
        assert.match(text, /Erika\s+Musterfrau/);
        assert.match(text, /§\s*43/);
      }

      // What is Erika's is nobody else's.
      const other = await citizen();
      await other.page.goto("/chat");
      for (const path of [`/copy/${number.replace("-", "")}/pdf`, `${new URL(pay).pathname}/receipt`]) {
        assert.equal((await other.context.request.get(path)).status(), 404, path);
      }

      // Number and code tell a stranger only where it stands.
      const stranger = await citizen();
      await stranger.page.goto("/status");
      await stranger.page.fill("#number", number.toLowerCase());
      await stranger.page.fill("#code", code.toLowerCase());
      await stranger.page.click("main form button[type=submit]");
      const told = await stranger.page.innerText("main");
      assert.match(told, new RegExp(number));
      assert.doesNotMatch(told, /Erika|Musterfrau|Bedienung/);

      assert.deepEqual([...erika.foreign, ...stranger.foreign], [], "requests to other hosts");
      assert.deepEqual(erika.complaints, [], "complaints of the browser");
      assert.equal(account.name, "frau.beispiel");
    });

    test("a person takes the conversation over and gives it back", async () => {
      const own = await startOffice();
      try {
        const citizenContext = await visitor(browser, own, { javaScriptEnabled: scripted });
        const { page } = citizenContext;
        const { page: desk } = await firstClerk(browser, own);
        await page.goto("/chat");
        await say(page, "Was kostet ein Gesundheitszeugnis?");
        const beforeCall = await newest(page);
        await page.getByRole("button", { name: "Mit einem Menschen sprechen" }).click();
        await until("the queue", async () => {
          const said = (await since(page, beforeCall)).map((message) => message.text).join("\n");
          return /Ich hole eine Person dazu/.test(said) && /an Stelle 1/.test(said);
        });
        await until("the note above the chat", async () => /warten auf einen Menschen/.test(await page.innerText("main")));

        // The desk sees who waits and what was said, takes it and answers.
        await desk.goto("/staff/chats");
        assert.match(await desk.innerText("main"), /Gesundheitszeugnis/);
        await desk.click("main form button");
        await until("the conversation", async () => /\/staff\/chat\//.test(desk.url()));
        if (!await desk.locator("#text").count()) await desk.goto(desk.url().split("?")[0]);
        assert.match(await desk.innerText("main"), /Was kostet ein Gesundheitszeugnis\?/);
        const beforeAnswer = await newest(page);
        await desk.fill("#text", "Guten Tag, hier ist Frau Beispiel. Wobei kann ich helfen?");
        await desk.click("form.ab-answer button[type=submit]");
        const seen = await until("the person's answer", async () => {
          if (!scripted) await page.goto("/chat");
          const found = (await since(page, beforeAnswer)).filter((message) => /hier ist Frau Beispiel/.test(message.text));
          return found.length > 0 && found;
        });
        assert.equal(seen.length, 1);
        assert.ok(seen[0].person, "the message is marked as one of a person");
        assert.match(seen[0].text, /^(Frau Beispiel|Kreisverwaltung \(Mensch\))/);

        // What the citizen writes now goes to the person; the machine is silent.
        const beforeQuestion = await newest(page);
        await page.fill("#text", "Muss ich persönlich kommen?");
        await page.click(".ab-form button[type=submit]");
        await until("the own message", async () =>
          (await since(page, beforeQuestion)).some((message) => message.you && /persönlich kommen/.test(message.text)));
        await until("the question at the desk", async () => {
          await desk.reload();
          return /Muss ich persönlich kommen\?/.test(await desk.innerText("main"));
        });
        assert.ok(!(await since(page, beforeQuestion)).some((message) => !message.you && !message.person),
          "the machine says nothing while a person is there");

        // Back to the assistant, which goes on.
        await desk.getByRole("button", { name: "An den Assistenten zurückgeben" }).click();
        await until("the assistant to be back", async () => {
          if (!scripted) await page.goto("/chat");
          return /Das Gespräch ist zurück beim Assistenten/.test(await page.innerText("#log"));
        });
        if (!scripted) await page.goto("/chat");
        assert.match(await say(page, "Was kostet ein Gesundheitszeugnis?"), /Quelle/);
        assert.deepEqual(citizenContext.complaints, []);
      } finally {
        await own.stop();
      }
    });

    test("a colleague is invited, and an empty message or too long a text is told in words", async () => {
      const own = await startOffice({ "limits.message_characters": "200" });
      try {
        const { page: desk, account } = await firstClerk(browser, own);
        await desk.goto("/staff/people");
        await desk.fill("#invite-name", "Herr Kollege");
        await desk.check("#role-approver");
        await desk.click(".ab-card button[type=submit]");
        if (await desk.locator("#code").count()) {
          await desk.fill("#code", await account.app.code());
          await desk.click("main button[type=submit]");
        }
        const link = new URL((await desk.textContent(".ab-secret")).trim());
        const colleague = await visitor(browser, own);
        const invited = await setUp(colleague.page, own.url + link.pathname, "herr.kollege", "Herr Kollege");
        await staffLogin(colleague.page, invited);
        assert.equal(new URL(colleague.page.url()).pathname, "/staff/cases");

        const { page } = await visitor(browser, own, { javaScriptEnabled: scripted });
        await page.goto("/chat");
        const long = "Das ist ein langer Text. ".repeat(12).trim();
        await page.locator("#text").evaluate((field) => field.removeAttribute("maxlength"));
        await page.fill("#text", long);
        await page.click(".ab-form button[type=submit]");
        await until("the refusal in words", async () => /höchstens 200 Zeichen/.test(await page.innerText("[role=alert]")));
        assert.equal(await page.inputValue("#text"), long, "what was typed is not lost");
        assert.ok(!await openChoice(page, "nichts").count());
      } finally {
        await own.stop();
      }
    });
  });
}

test("the filled demonstration: everybody gets in, and the portal tells the days that the desk tells", async () => {
  const office = await startOffice({}, { demo: 24 });
  try {
    const { page: desk } = await visitor(browser, office);
    await staffLogin(desk, office.logins.find((login) => login.name === "bearbeitung"));
    assert.ok(await desk.locator("tbody tr").count() >= 5);
    const { page } = await visitor(browser, office);
    await page.goto("/login/demo?next=/chat");
    await demoLogin(page, "erika", "T2");
    await page.goto("/portal");
    const lines = await page.$$eval(".ab-case", (items) => items.map((item) =>
      ({ href: item.querySelector("a").getAttribute("href"), day: item.innerText.match(/eingereicht am (\S+)/)[1] })));
    assert.ok(lines.length > 0);
    for (const { href, day } of lines) {
      await page.goto(href);
      assert.equal((await page.innerText("main")).match(/eingereicht am (\S+)/)[1], day, `${href}: list and page`);
      await desk.goto(href.replace("/portal/", "/staff/case/"));
      assert.match(await desk.innerText(".ab-keyfacts"), new RegExp(`Eingegangen\\s+${day}`), `${href}: the desk`);
    }
  } finally {
    await office.stop();
  }
});
