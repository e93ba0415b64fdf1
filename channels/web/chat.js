// Makes the chat page live. Without this file every form on the page works by itself.
(() => {
  "use strict";
  const part = (name) => document.querySelector(`[data-ab="${name}"]`);
  const list = part("messages"), form = part("form"), status = part("status"), error = part("error");
  if (!list || !form || !window.fetch) return;
  const field = form.elements.text, words = form.dataset, fresh = part("new"), pause = part("pause");
  const drafts = "amtsbote.draft";
  // In the frame of another page there is a session of its own; the browser tells the server of frames only for pages.
  const here = (path) => document.body.classList.contains("ab-embedded") ? `${path}${path.includes("?") ? "&" : "?"}embed=1` : path;
  let last = Number(words.last) || 0, source = null, paused = false, typing = false, wait = 2000, unread = null;

  const store = (text) => { try { text ? sessionStorage.setItem(drafts, text) : sessionStorage.removeItem(drafts); } catch { /* private mode */ } };
  const say = (text) => { if (status.textContent !== text) status.textContent = text; };
  const nearEnd = () => list.getBoundingClientRect().bottom < window.innerHeight + 120;

  // Adds each message once, in order; returns the first new one.
  const add = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    let first = null;
    for (const item of box.content.querySelectorAll("li[data-seq]")) {
      const seq = Number(item.dataset.seq);
      if (document.getElementById(item.id)) continue;
      item.querySelector("#latest")?.remove();
      if (item.querySelector("form")) close(pressable());
      let next = null;
      for (let older = list.lastElementChild; older && Number(older.dataset.seq) > seq; older = older.previousElementSibling) next = older;
      list.insertBefore(item, next);
      last = Math.max(last, seq);
      first ??= item;
    }
    if (first) { typing = false; say(paused ? words.paused : ""); }
    return first;
  };
  const still = () => document.documentElement.dataset.motion === "none" || matchMedia("(prefers-reduced-motion: reduce)").matches;
  const show = (item) => item.scrollIntoView({ block: "start", behavior: still() ? "instant" : "smooth" });
  const arrive = (html) => {
    const follow = nearEnd(), first = add(html);
    if (!first) return;
    if (follow) show(first);
    else { unread ??= first; fresh.hidden = false; }
  };

  // Choices of earlier messages can be read, not pressed.
  const pressable = () => [...list.querySelectorAll('form[data-ab="choices"], form[data-ab="upload"]')];
  const close = (forms, pressed) => {
    for (const old of forms) {
      if (old.dataset.ab === "upload" || old.classList.contains("ab-review-form")) {
        old.querySelectorAll("button, input").forEach((control) => { control.disabled = true; });
      }
      for (const button of old.querySelectorAll(".ab-choice:not([aria-disabled])")) {
        button.setAttribute("aria-disabled", "true");
        button.type = "button";
        button.tabIndex = -1;
      }
      delete old.dataset.ab;
    }
    if (pressed?.classList.contains("ab-choice")) {
      const hint = document.createElement("span");
      hint.className = "ab-hidden";
      hint.textContent = `, ${words.chosen}`;
      pressed.classList.add("ab-chosen");
      pressed.append(hint);
    }
  };

  const fail = (text, again) => {
    const line = document.createElement("p"), button = document.createElement("button");
    line.className = "ab-error-text";
    line.textContent = text;
    button.type = "button";
    button.className = "ab-textbutton";
    button.textContent = words.retry;
    button.addEventListener("click", () => { field.focus({ preventScroll: true }); again(); });
    error.replaceChildren(line, "\n", button);
  };

  // One form at a time; the server answers the same form id twice with the same messages. The stream may bring the
  // next question before the answer to this form is here: what is pressed there meanwhile is sent next.
  let busy = null, next = null;
  const send = async (sent, pressed) => {
    if (busy) {
      if (busy !== sent) next = () => send(sent, pressed);
      return;
    }
    const main = sent === form, kind = sent.dataset.ab, text = main ? field.value : "";
    if (main && !text.trim()) { field.focus(); say(words.empty); return; }
    const data = new FormData(sent);
    if (pressed?.name) data.set(pressed.name, pressed.value);
    const answered = pressable(), focused = sent.contains(document.activeElement);
    busy = sent;
    error.replaceChildren();
    const slow = setTimeout(() => say(kind === "upload" ? words.uploading : words.sending), 500);
    form.classList.add("ab-sending");
    try {
      const answer = await fetch(here(sent.getAttribute("action")), {
        method: "POST",
        body: kind === "upload" ? data : new URLSearchParams(data),
        headers: { Accept: "text/html", "X-Requested-With": "amtsbote" },
        credentials: "same-origin",
        redirect: "manual",
      });
      if (answer.type === "opaqueredirect") { location.reload(); return; }
      const html = await answer.text();
      if (!answer.ok) {
        const plain = (answer.headers.get("content-type") || "").startsWith("text/plain");
        throw Object.assign(new Error(), { said: plain ? html.slice(0, 600) : "" });
      }
      const id = answer.headers.get("amtsbote-next-message-id");
      if (id) sent.elements.message_id.value = id;
      // Closing a form for the next question takes the focus from its field.
      const inside = sent.contains(document.activeElement) || (focused && document.activeElement === document.body);
      if (kind === "choices" || kind === "upload") close(answered, pressed);
      if (main) {
        field.value = field.value === text ? "" : field.value.startsWith(text) ? field.value.slice(text.length) : field.value;
        field.removeAttribute("aria-invalid");
        store(field.value);
      }
      if (inside && !main && matchMedia("(hover: hover)").matches) field.focus({ preventScroll: true });
      const first = add(html);
      if (first) show(first);
      if (answer.headers.get("amtsbote-reload")) location.reload();
    } catch (problem) {
      clearTimeout(slow);
      say("");
      fail(problem.said || words.failed, () => send(sent, pressed));
    } finally {
      busy = null;
      clearTimeout(slow);
      form.classList.remove("ab-sending");
      const waiting = next;
      next = null;
      waiting?.();
    }
  };

  document.addEventListener("submit", (event) => {
    const sent = event.target;
    if (!["form", "human", "choices", "upload"].includes(sent.dataset.ab)) return;
    event.preventDefault();
    send(sent, event.submitter);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(form); }
  });
  field.addEventListener("input", () => store(field.value));
  try { if (!field.value) field.value = sessionStorage.getItem(drafts) || ""; } catch { /* private mode */ }
  form.noValidate = true;

  // New messages from the office.
  const listen = () => {
    if (paused || source || !window.EventSource) return;
    source = new EventSource(here(`/chat/stream?after=${last}`));
    source.addEventListener("message", (event) => arrive(event.data));
    source.addEventListener("typing", (event) => {
      if (!typing) { typing = true; say(event.data === "person" ? words.typingPerson : words.typing); }
    });
    source.addEventListener("reload", () => location.reload());
    source.addEventListener("open", () => { wait = 2000; if (status.textContent === words.lost) say(words.back); });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      stop();
      if (wait > 8000) say(words.lost);
      setTimeout(listen, wait + Math.random() * 1000);
      wait = Math.min(wait * 2, 60000);
    });
  };
  const stop = () => { source?.close(); source = null; };
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);

  part("pause-item").hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    say(paused ? words.paused : "");
    paused ? stop() : listen();
  });
  fresh.addEventListener("click", () => {
    fresh.hidden = true;
    if (!unread) return;
    unread.tabIndex = -1;
    unread.focus({ preventScroll: true });
    show(unread);
    unread = null;
  });
  addEventListener("scroll", () => { if (unread && nearEnd()) { unread = null; fresh.hidden = true; } }, { passive: true });
  if (parent !== window) addEventListener("keydown", (event) => { if (event.key === "Escape") parent.postMessage("amtsbote-close", "*"); });
  listen();
})();
