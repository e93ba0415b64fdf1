// Keys of the desk, for clerks who do not want to take their hands off the keyboard. Every one of them only moves the
// focus or opens a link that is on the page; nothing is sent by a key. They can be switched off (WCAG 2.1.4).
(() => {
  "use strict";
  const part = (name) => document.querySelector(`[data-ab="${name}"]`);
  const help = part("keys"), switched = part("keys-on"), off = "amtsbote.keys-off";
  if (!help || !switched) return;
  const read = () => { try { return localStorage.getItem(off) !== "1"; } catch { return true; } };
  const write = (on) => { try { on ? localStorage.removeItem(off) : localStorage.setItem(off, "1"); } catch { /* private mode */ } };
  let on = read(), waiting = 0;
  switched.checked = on;
  switched.addEventListener("change", () => { on = switched.checked; write(on); });
  help.hidden = false;

  const focus = (target) => {
    if (!target) return false;
    target.focus();
    target.scrollIntoView({ block: "nearest" });
    return true;
  };
  const open = (link) => { if (link) link.click(); return Boolean(link); };
  const row = (step) => {
    const rows = [...document.querySelectorAll('[data-ab="row"]')], here = rows.indexOf(document.activeElement);
    return focus(here < 0 ? rows[step > 0 ? 0 : rows.length - 1] : rows[here + step]);
  };
  const places = { v: 'nav a[href="/staff/cases"]', c: 'nav a[href="/staff/chats"]' };
  const keys = {
    j: () => row(1),
    k: () => row(-1),
    "/": () => focus(document.getElementById("number")),
    u: () => open(part("list")),
    n: () => open(part("next-case")),
    a: () => focus(document.querySelector(".ab-column-side button, .ab-column-side a, .ab-column-side summary")),
    m: () => focus(document.getElementById("note")),
    "?": () => { help.open = !help.open; return focus(help.querySelector("summary")); },
  };
  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (!on || writes || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    // "g" waits for a second key, but not for ever.
    const second = event.timeStamp - waiting < 1500 && places[event.key];
    waiting = event.key === "g" ? event.timeStamp : 0;
    if (second ? open(document.querySelector(second)) : keys[event.key]?.()) event.preventDefault();
  });
})();
