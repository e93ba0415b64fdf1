// Puts the chat on another page of the office, by one line:
//   <script src="https://chat.example.org/static/widget.js" data-language="de" defer></script>
// A button opens the chat in a frame. Nothing of the page around it is read; nothing is loaded before the button is pressed.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || document.getElementById("amtsbote-widget")) return;
  const origin = new URL(script.src).origin;
  const words = {
    de: ["Fragen? Assistent \u00f6ffnen", "Assistent schlie\u00dfen", "Assistent, eine Maschine"],
    "de-simple": ["Haben Sie eine Frage?", "Fenster zu-machen", "Assistent, eine Maschine"],
    en: ["Questions? Open the assistant", "Close the assistant", "Assistant, a machine"],
  };
  const language = words[script.dataset.language] ? script.dataset.language : "de";
  const [openWords, closeWords, title] = words[language];

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; }
    button { font: 600 1.125rem/1.4 system-ui, sans-serif; min-height: 3rem; cursor: pointer; box-sizing: border-box;
      border: 2px solid #fff; background: #2044aa; color: #fff; }
    button:focus-visible { outline: 3px solid #171a2b; outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    .open { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; padding: .6rem 1.4rem; border-radius: 1.75rem;
      max-width: calc(100vw - 2rem); box-shadow: 0 .25rem 1rem rgb(0 0 0 / 30%); }
    .box { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; display: flex; flex-direction: column;
      width: min(28rem, calc(100vw - 2rem)); height: min(46rem, calc(100vh - 2rem)); height: min(46rem, calc(100dvh - 2rem));
      background: #fff; border: 2px solid #171a2b; border-radius: .75rem; overflow: hidden; box-sizing: border-box;
      box-shadow: 0 .5rem 2rem rgb(0 0 0 / 35%); }
    .close { border-width: 0; border-radius: 0; padding: .4rem 1rem; text-align: left; outline-offset: -6px; outline-color: #fff; }
    .close:focus-visible { outline: 3px solid #fff; outline-offset: -6px; }
    iframe { flex: 1; width: 100%; border: 0; }
    [hidden] { display: none; }
    @media (max-width: 30rem), (max-height: 30rem) {
      .box { inset: 0; width: 100%; height: 100%; border: 0; border-radius: 0; }
    }
    @media (forced-colors: active) { .open, .box { border: 2px solid ButtonText; } }
  `);

  const host = document.createElement("div");
  host.id = "amtsbote-widget";
  host.lang = language;
  const root = host.attachShadow({ mode: "closed" });
  root.adoptedStyleSheets = [sheet];
  const make = (tag, name, text = "") => {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  };
  const opener = make("button", "open", openWords), box = make("div", "box"), closer = make("button", "close", closeWords);
  opener.type = closer.type = "button";
  opener.setAttribute("aria-expanded", "false");
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", title);
  box.hidden = true;
  box.append(closer);
  root.append(opener, box);

  let frame = null;
  const open = () => {
    if (!frame) {
      frame = document.createElement("iframe");
      frame.title = title;
      frame.referrerPolicy = "no-referrer";
      frame.src = `${origin}/chat?embed=1&language=${language}#latest`;
      frame.addEventListener("load", () => { if (!box.hidden && root.activeElement === closer) frame.focus(); });
      box.append(frame);
    }
    box.hidden = false;
    opener.hidden = true;
    opener.setAttribute("aria-expanded", "true");
    closer.focus();
  };
  const close = () => {
    box.hidden = true;
    opener.hidden = false;
    opener.setAttribute("aria-expanded", "false");
    opener.focus();
  };
  opener.addEventListener("click", open);
  closer.addEventListener("click", close);
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  addEventListener("message", (event) => {
    if (frame && event.source === frame.contentWindow && event.origin === origin && event.data === "amtsbote-close") close();
  });
  document.body.prepend(host);
})();
