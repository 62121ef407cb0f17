/* Steward's chat widget: <steward-chat server="https://help.example" key="pk_…"></steward-chat>
 *
 * One script, no dependencies, no eval, no inline styles: it runs under a strict content security policy.
 * Attributes: server, key, token (proves a signed-in customer), title, locale, open, inline.
 * Methods: ask(text), restart(). Events (they cross the shadow boundary): steward-started, steward-stage,
 * steward-done, each with a detail. Colours: --steward-accent, --steward-on-accent on the element.
 * Every text from the server is written as a text node; only http(s) addresses become links.
 */
(() => {
  "use strict";
  if (customElements.get("steward-chat")) return;

  const LIMIT = 20000;
  const WARN_AT = 18000;
  const RETRIES = [400, 1000, 2000, 4000, 8000];
  const HOME = document.currentScript ? new URL(document.currentScript.src).origin : location.origin;
  const STAGES = {
    receive: "Reading", mask: "Reading", understand: "Understanding", guard: "Understanding",
    retrieve: "Looking it up", generate: "Writing", verify: "Checking the answer", act: "Working on it", record: "Finishing",
  };
  const ACTIONS = {
    proposed: "Suggested", confirming: "Please confirm", awaiting_approval: "Waiting for approval", sent: "In progress",
    done: "Done", failed: "Didn't work", unknown: "Being checked", cancelled: "Cancelled", expired: "Expired",
  };
  const ICONS = {
    chat: "M4 5h16v11H9l-5 4z", close: "M6 6l12 12M18 6L6 18", send: "M4 12l16-8-6 16-3-6z",
    person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6", end: "M5 12l5 5L20 7",
    up: "M7 11v9H3v-9zM7 11l4-8c2 0 3 1 3 3l-1 4h6c1 0 2 1 2 2l-2 6c0 1-1 2-2 2H7",
    down: "M7 13V4H3v9zM7 13l4 8c2 0 3-1 3-3l-1-4h6c1 0 2-1 2-2l-2-6c0-1-1-2-2-2H7",
    star: "M12 3l2.8 5.7 6.2.9-4.5 4.4 1.1 6.2-5.6-3-5.6 3 1.1-6.2L3 9.6l6.2-.9z",
  };

  const CSS_TEXT = `
:host { --accent: var(--steward-accent, #14607a); --on-accent: var(--steward-on-accent, #fff); --paper: #fff; --wash: #f3f6f7;
  --ink: #17232a; --soft: #5a6b74; --line: #d9e1e5; --mine: #e3eff3; --warn: #8a4b00; --warn-wash: #fdf3e3; --good: #1d6b3c;
  --bad: #a3262a; color-scheme: light dark; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); }
@media (prefers-color-scheme: dark) { :host { --accent: var(--steward-accent, #6db9d3); --on-accent: var(--steward-on-accent, #06202a);
  --paper: #131b20; --wash: #1b252b; --ink: #e8eff2; --soft: #9db0ba; --line: #2d3b43; --mine: #1f3a45; --warn: #f2c27b;
  --warn-wash: #33270f; --good: #7fd1a0; --bad: #ff9a96; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.launcher { position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; display: flex; gap: 8px; align-items: center; min-height: 52px;
  padding: 0 20px; border: 0; border-radius: 26px; background: var(--accent); color: var(--on-accent); font-weight: 600;
  box-shadow: 0 6px 24px rgb(0 0 0 / .22); }
.panel { display: flex; flex-direction: column; background: var(--paper); color: var(--ink); overflow: hidden; }
.floating { position: fixed; right: 20px; bottom: 20px; z-index: 2147483001; width: 400px; height: min(660px, calc(100dvh - 40px));
  border: 1px solid var(--line); border-radius: 16px; box-shadow: 0 16px 48px rgb(0 0 0 / .26); }
.inline { width: 100%; height: 100%; min-height: 420px; border: 1px solid var(--line); border-radius: 14px; }
:host([inline]) { display: block; height: 100%; }
header { display: flex; align-items: center; gap: 4px; padding: 10px 10px 10px 16px; border-bottom: 1px solid var(--line); }
header div { flex: 1; min-width: 0; }
h2 { margin: 0; font-size: 16px; line-height: 1.3; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
header p { margin: 0; font-size: 12.5px; color: var(--soft); }
.icon { display: grid; place-items: center; width: 40px; height: 40px; padding: 0; border: 0; border-radius: 10px; background: none; color: var(--soft); }
.icon:hover { background: var(--wash); color: var(--ink); }
svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.bar { display: flex; gap: 10px; align-items: center; padding: 9px 16px; font-size: 13.5px; background: var(--mine); border-bottom: 1px solid var(--line); }
.bar.warn { background: var(--warn-wash); color: var(--warn); }
.bar span { flex: 1; }
.log { flex: 1; overflow-y: auto; padding: 16px; display: flex; flex-direction: column; gap: 12px; overscroll-behavior: contain; }
.row { display: flex; flex-direction: column; max-width: 88%; align-items: flex-start; }
.row.customer { align-self: flex-end; align-items: flex-end; }
.row.system { align-self: center; max-width: 94%; }
.who { margin: 0 2px 3px; font-size: 12px; color: var(--soft); }
.bubble { padding: 9px 13px; border-radius: 4px 14px 14px; background: var(--wash); white-space: pre-wrap; overflow-wrap: anywhere; }
.customer .bubble { border-radius: 14px 4px 14px 14px; background: var(--mine); }
.human .bubble { background: var(--paper); border: 1px solid var(--accent); }
.system .bubble { background: none; color: var(--soft); font-size: 13.5px; text-align: center; padding: 2px 8px; }
.asks .bubble { border-bottom-left-radius: 4px; box-shadow: inset 3px 0 0 var(--accent); }
.failed .bubble { opacity: .65; }
.bubble sup { line-height: 0; font-size: 11px; }
a, sup button { color: var(--accent); }
sup button { padding: 0 1px; border: 0; background: none; font-size: 11px; }
.cites { margin: 6px 2px 0; padding: 0; list-style: none; font-size: 12.5px; color: var(--soft); }
.cites li { padding: 1px 0; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 7px; }
.chip { padding: 3px 10px; border: 1px solid var(--line); border-radius: 12px; font-size: 12.5px; }
.chip b { font-weight: 600; }
.chip.done b { color: var(--good); } .chip.failed b, .chip.expired b { color: var(--bad); }
.chip.proposed b, .chip.confirming b, .chip.awaiting_approval b, .chip.unknown b { color: var(--warn); }
.quick { display: flex; gap: 8px; margin-top: 9px; }
.pill { min-height: 36px; padding: 4px 16px; border: 1px solid var(--accent); border-radius: 18px; background: none; color: var(--accent); font-weight: 600; }
.pill:hover, .pill.main { background: var(--accent); color: var(--on-accent); }
.thumbs { display: flex; margin-top: 2px; }
.thumbs .icon { width: 32px; height: 32px; } .thumbs svg { width: 15px; height: 15px; }
.thumbs [aria-pressed="true"] { color: var(--accent); } .thumbs [aria-pressed="true"] svg { fill: currentColor; }
.under { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 2px 8px; margin-top: 2px; }
.why { font-size: 12.5px; color: var(--soft); }
.why summary { min-height: 32px; padding: 6px 8px 6px 4px; border-radius: 8px; cursor: pointer; } .why summary:focus-visible { outline-offset: -3px; }
.why[open] { flex-basis: 100%; }
.why p, .why ul { margin: 0 4px 6px; } .why ul { padding-left: 18px; }
.wait { display: flex; gap: 8px; align-items: center; font-size: 13px; color: var(--soft); min-height: 22px; }
.dots { display: inline-flex; gap: 4px; }
.dots i { width: 6px; height: 6px; border-radius: 50%; background: var(--soft); animation: pulse 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .2s; } .dots i:nth-child(3) { animation-delay: .4s; }
@keyframes pulse { 0%, 70%, 100% { opacity: .25; } 35% { opacity: 1; } }
form.say { display: flex; gap: 8px; align-items: flex-end; padding: 10px 12px; border-top: 1px solid var(--line); }
textarea { flex: 1; min-height: 42px; max-height: 140px; padding: 9px 12px; border: 1px solid var(--line); border-radius: 12px; background: var(--paper);
  font-size: 16px; line-height: 1.4; resize: none; }
.send { display: grid; place-items: center; width: 42px; height: 42px; padding: 0; border: 0; border-radius: 12px; background: var(--accent); color: var(--on-accent); }
.send[disabled] { opacity: .45; cursor: default; }
.count { padding: 0 16px 8px; font-size: 12px; color: var(--soft); text-align: right; }
.count.over { color: var(--bad); font-weight: 600; }
.survey { padding: 18px 16px; border-top: 1px solid var(--line); }
.survey fieldset { margin: 0 0 14px; padding: 0; border: 0; }
.survey legend { padding: 0; font-weight: 600; }
.stars { display: flex; gap: 2px; margin-top: 4px; }
.stars label { padding: 5px; border-radius: 8px; color: var(--soft); cursor: pointer; }
.stars svg { width: 26px; height: 26px; display: block; }
.stars .on { color: var(--accent); } .stars .on svg { fill: currentColor; }
.stars label:focus-within { outline: 3px solid var(--accent); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 520px) { .floating { inset: 0; width: 100%; height: 100dvh; border: 0; border-radius: 0; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; scroll-behavior: auto !important; } }
@media (prefers-reduced-motion: no-preference) { .log { scroll-behavior: smooth; } .floating { animation: rise .16s ease-out; }
  @keyframes rise { from { transform: translateY(12px); opacity: 0; } } }
@media (forced-colors: active) { .bubble, .chip, .launcher, .send { border: 1px solid; } }`;

  /** Build an element; children are nodes or texts, and texts stay texts. */
  function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  const iconButton = (name, label, onclick, more = {}) =>
    h("button", { class: "icon", type: "button", "aria-label": label, title: label, onclick, ...more }, icon(name));

  /** crypto.randomUUID is missing on plain http; getRandomValues isn't. */
  function freshKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function webAddress(text) {
    try {
      const url = new URL(text, location.href);
      return text && (url.protocol === "https:" || url.protocol === "http:") ? url.href : null;
    } catch { return null; }
  }

  const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

  /** Yield {event, data} of an event stream; ends when the bytes end. */
  async function* eventsOf(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        held += value;
        let end;
        while ((end = held.indexOf("\n\n")) >= 0) {
          const lines = held.slice(0, end).split("\n");
          held = held.slice(end + 2);
          let event = "message", data = "";
          for (const line of lines) {
            if (line.startsWith("event: ")) event = line.slice(7);
            else if (line.startsWith("data: ")) data += line.slice(6);
          }
          if (data) yield { event, data: JSON.parse(data) };
        }
      }
    } finally { reader.cancel().catch(() => {}); }
  }

  /** A refusal that the server explained. */
  class Refused extends Error {
    constructor(status, detail, retryAfter) { super(detail); this.status = status; this.retryAfter = retryAfter; }
  }

  class StewardChat extends HTMLElement {
    static observedAttributes = ["title", "open", "token", "key"];

    connectedCallback() {
      if (!this.shadowRoot) this.build();
      this.onOnline = () => this.networkChanged();
      addEventListener("online", this.onOnline);
      addEventListener("offline", this.onOnline);
      this.reset();
      if (this.inline || this.hasAttribute("open") || this.stored().open) this.show(false);
    }

    disconnectedCallback() {
      removeEventListener("online", this.onOnline);
      removeEventListener("offline", this.onOnline);
      this.stopAll();
    }

    attributeChangedCallback(name, before, after) {
      if (!this.shadowRoot || !this.isConnected || before === after) return;
      if (name === "title") this.heading.textContent = this.name;
      else if (name === "open" && after !== null && this.panel.hidden) this.show(true);
      else if (name === "token" || name === "key") { this.reset(); if (!this.panel.hidden) this.begin(); }
    }

    // -------------------------------------------------------------- what it knows
    get inline() { return this.hasAttribute("inline"); }
    get name() { return this.getAttribute("title") || "Help"; }
    get server() { return (this.getAttribute("server") || HOME).replace(/\/+$/, ""); }
    get bearer() { return this.getAttribute("token") || this.getAttribute("key") || ""; }
    get place() { return `steward:${this.server}:${this.bearer.slice(-24)}`; }

    stored() {
      try { return JSON.parse(sessionStorage.getItem(this.place)) || {}; } catch { return {}; }
    }

    store(changes) {
      try { sessionStorage.setItem(this.place, JSON.stringify({ ...this.stored(), ...changes })); } catch { /* private mode */ }
    }

    tell(name, detail) {
      this.dispatchEvent(new CustomEvent(`steward-${name}`, { detail, bubbles: true, composed: true }));
    }

    // -------------------------------------------------------------- what is seen
    build() {
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS_TEXT);
      root.adoptedStyleSheets = [sheet];
      this.launcher = h("button", { class: "launcher", type: "button", "aria-haspopup": "dialog", hidden: this.inline, onclick: () => this.show(true) },
        icon("chat"), h("span", {}, "Help"));
      this.heading = h("h2", { id: "name" }, this.name);
      this.under = h("p", {}, "Automated assistant");
      this.personButton = iconButton("person", "Talk to a person", () => this.ask("agent"));
      this.endButton = iconButton("end", "End the conversation", () => this.survey(true));
      this.banner = h("div", { class: "bar", role: "status", hidden: true });
      this.trouble = h("div", { class: "bar warn", role: "alert", hidden: true });
      this.log = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": "Conversation", tabindex: "0" });
      this.field = h("textarea", { rows: "1", "aria-label": "Your message", placeholder: "Write a message…", maxlength: String(LIMIT + 2000),
        oninput: () => this.fieldChanged(), onkeydown: (event) => this.fieldKey(event) });
      this.sendButton = h("button", { class: "send", type: "submit", "aria-label": "Send" }, icon("send"));
      this.count = h("div", { class: "count", "aria-live": "polite", hidden: true });
      this.form = h("form", { class: "say", onsubmit: (event) => { event.preventDefault(); this.submit(); } }, this.field, this.sendButton);
      this.end = h("form", { class: "survey", hidden: true });
      this.panel = h("section", { class: `panel ${this.inline ? "inline" : "floating"}`, role: this.inline ? "region" : "dialog",
        "aria-labelledby": "name", "aria-modal": this.inline ? null : "true", hidden: true, onkeydown: (event) => this.panelKey(event) },
        h("header", {}, h("div", {}, this.heading, this.under), this.personButton, this.endButton,
          this.inline ? null : iconButton("close", "Close the window", () => this.hide())),
        this.banner, this.trouble, this.log, this.end, this.form, this.count);
      root.append(this.launcher, this.panel);
    }

    show(focus) {
      this.panel.hidden = false;
      this.launcher.hidden = true;
      this.store({ open: true });
      this.begin();
      if (focus) this.field.focus();
    }

    hide() {
      this.panel.hidden = true;
      this.launcher.hidden = false;
      this.store({ open: false });
      this.launcher.focus();
    }

    panelKey(event) {
      if (this.inline) return;
      if (event.key === "Escape") { event.stopPropagation(); this.hide(); return; }
      if (event.key !== "Tab") return;
      const stops = [...this.panel.querySelectorAll("button, textarea, input, summary, a[href], [tabindex='0']")]
        .filter((stop) => !stop.disabled && stop.getClientRects().length);
      const first = stops[0], last = stops[stops.length - 1], now = this.shadowRoot.activeElement;
      if (event.shiftKey && now === first) { event.preventDefault(); last.focus(); }
      else if (!event.shiftKey && now === last) { event.preventDefault(); first.focus(); }
    }

    fieldKey(event) {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
    }

    fieldChanged() {
      const length = this.field.value.length;
      this.field.style.height = "auto";
      this.field.style.height = `${Math.min(this.field.scrollHeight + 2, 140)}px`;
      this.count.hidden = length < WARN_AT;
      this.count.classList.toggle("over", length > LIMIT);
      this.count.textContent = length > LIMIT ? `${length - LIMIT} characters too long` : `${LIMIT - length} characters left`;
      this.sendButton.disabled = this.busy || !this.field.value.trim() || length > LIMIT;
    }

    scroll() { this.log.scrollTop = this.log.scrollHeight; }

    say(role, text, id) {
      const bubble = h("div", { class: "bubble" }, text || "");
      const row = h("div", { class: `row ${role}` }, bubble);
      const who = { human: "A member of our team", customer: "You said", assistant: "Assistant" }[role];
      if (who) row.prepend(h("div", { class: role === "human" ? "who" : "unseen" }, who));
      this.log.append(row);
      if (id) this.seen.add(id);
      this.scroll();
      return { row, bubble, text: text || "", cites: new Map(), chips: new Map(), asked: null };
    }

    waiting(text) {
      if (!text) { this.wait?.remove(); this.wait = null; return; }
      if (!this.wait) {
        this.wait = h("div", { class: "wait", "aria-hidden": "true" }, h("span", { class: "dots" }, h("i"), h("i"), h("i")), h("span"));
        this.log.append(this.wait);
        this.scroll();
      }
      this.wait.lastChild.textContent = text;
    }

    problem(text, label, act) {
      this.trouble.hidden = !text;
      this.trouble.replaceChildren();
      if (text) this.trouble.append(h("span", {}, text), ...(label ? [h("button", { class: "pill", type: "button", onclick: act }, label)] : []));
    }

    // -------------------------------------------------------------- talking to the server
    async call(method, path, { body, accept = "application/json", signal } = {}) {
      const response = await fetch(this.server + path, {
        method, signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer",
        headers: { Authorization: `Bearer ${this.bearer}`, Accept: accept, ...(body ? { "Content-Type": "application/json" } : {}) },
        body: body ? JSON.stringify(body) : undefined,
      });
      if (response.ok) return response;
      const told = await response.json().catch(() => ({}));
      throw new Refused(response.status, told.detail || "That didn't work.", Number(response.headers.get("Retry-After")) || 0);
    }

    stopAll() {
      this.generation = (this.generation || 0) + 1;
      this.abort?.abort();
      this.abort = new AbortController();
    }

    reset() {
      this.stopAll();
      Object.assign(this, { id: null, cursor: 0, seen: new Set(), busy: false, starting: null, following: false, person: false, wait: null, last: null, notice: null, retry: null });
      this.log.replaceChildren();
      this.banner.hidden = this.end.hidden = true;
      this.form.hidden = false;
      this.problem("");
      this.under.textContent = "Automated assistant";
      this.fieldChanged();
    }

    restart() {
      this.store({ id: null, greeting: null });
      this.reset();
      this.begin();
      this.field.focus();
    }

    begin() {
      if (!this.starting) this.starting = this.start().catch((error) => { this.starting = null; this.failedToStart(error); throw error; });
      this.starting.catch(() => {});
      return this.starting;
    }

    async start() {
      this.problem("");
      const mine = this.generation, { id, greeting } = this.stored();
      if (id) {
        try {
          const { messages } = await (await this.call("GET", `/v1/conversations/${id}/messages`)).json();
          if (mine !== this.generation) return;
          this.id = id;
          if (greeting) this.say("assistant", greeting);
          messages.forEach((message) => this.restore(message));
          if (messages.length) this.follow();
          return;
        } catch (error) {
          if (!(error instanceof Refused) || error.status >= 500 || error.status === 429) throw error;
          this.store({ id: null });
        }
      }
      const response = await this.call("POST", "/v1/conversations", { body: { channel: "web", locale: this.getAttribute("locale") || navigator.language } });
      const started = await response.json();
      if (mine !== this.generation) return;
      this.id = started.id;
      this.store({ id: started.id, greeting: started.greeting });
      if (!this.hasAttribute("title") && started.assistant) this.heading.textContent = started.assistant;
      this.say("assistant", started.greeting);
      this.tell("started", { conversation: started.id });
    }

    failedToStart(error) {
      const why = error instanceof Refused ? error.message : "The chat can't be reached just now.";
      this.problem(why, "Try again", () => this.begin());
    }

    restore(message) {
      this.cursor = Math.max(this.cursor, message.seq || 0);
      if (this.seen.has(message.id)) return;
      const said = this.say(message.role, message.text, message.id);
      for (const { event, ...data } of message.events || []) this.take(said, event, data, true);
      if (message.role === "assistant") this.finish(said, { turn_id: message.turn_id, outcome: "answered" }, true);
      if (message.role === "human") this.humanSpeaks();
    }

    submit() {
      const text = this.field.value.trim();
      if (!text || this.busy || text.length > LIMIT) return;
      this.field.value = "";
      this.fieldChanged();
      this.ask(text);
    }

    /** Send a message as the customer; the same key goes out again when a stream breaks. */
    async ask(text) {
      if (this.busy) return;
      if (this.panel.hidden) this.show(true);
      this.busy = true;
      this.fieldChanged();
      this.log.querySelectorAll(".quick").forEach((row) => row.remove());
      const mine = this.generation;
      try {
        await this.begin();
        if (mine === this.generation) await this.turn(this.say("customer", text), text, freshKey());
      } catch {
        if (!this.field.value) this.field.value = text;
      } finally {
        if (mine === this.generation) { this.busy = false; this.waiting(""); this.log.removeAttribute("aria-busy"); this.fieldChanged(); }
      }
    }

    async turn(mine, text, key) {
      const generation = this.generation, path = `/v1/conversations/${this.id}/messages`;
      let said = null;
      this.problem("");
      mine.row.classList.remove("failed");
      for (let attempt = 0; ; attempt++) {
        try {
          this.waiting(attempt ? "Reconnecting" : "Sending");
          this.log.setAttribute("aria-busy", "true");
          const response = await this.call("POST", path, { body: { text, key }, accept: "text/event-stream", signal: this.abort.signal });
          this.follow();
          said?.row.remove();
          said = null;
          for await (const { event, data } of eventsOf(response)) {
            if (generation !== this.generation) return;
            if (event === "status") { this.waiting(STAGES[data.stage] || "Working"); this.tell("stage", { ...data, at: performance.now() }); continue; }
            if (event === "done") { this.done(said, data); return; }
            if (event === "handover") { this.queued(data); continue; }
            if (!said) { this.waiting(""); said = this.say("assistant", ""); }
            this.take(said, event, data, false);
          }
          throw new TypeError("the stream ended early");
        } catch (error) {
          if (generation !== this.generation) return;
          const again = !(error instanceof Refused) || error.status >= 500 || error.status === 429;
          if (again && attempt < RETRIES.length && navigator.onLine) { await pause(Math.max(RETRIES[attempt], (error.retryAfter || 0) * 1000)); continue; }
          this.waiting("");
          said?.row.remove();
          mine.row.classList.add("failed");
          this.failedTurn(error, mine, text, key);
          return;
        }
      }
    }

    failedTurn(error, mine, text, key) {
      if (error instanceof Refused && (error.status === 404 || error.status === 409)) {
        this.problem("This conversation has ended.", "Start a new one", () => this.restart());
        return;
      }
      const why = error instanceof Refused ? error.message : navigator.onLine ? "The connection broke." : "You're offline. Your message is kept.";
      const again = async () => {
        if (this.busy) return;
        this.busy = true;
        this.fieldChanged();
        this.retry = null;
        await this.turn(mine, text, key);
        this.busy = false;
        this.waiting("");
        this.log.removeAttribute("aria-busy");
        this.fieldChanged();
      };
      this.retry = again;
      this.problem(why, "Send again", again);
    }

    networkChanged() {
      if (!navigator.onLine) this.problem("You're offline.");
      else { this.problem(""); if (this.retry) this.retry(); else if (!this.id && !this.panel.hidden) this.begin(); }
    }

    /** Write one event of an answer into its row. */
    take(said, event, data, past) {
      if (event === "delta") { said.text += data.text; said.bubble.append(data.text); this.scroll(); }
      else if (event === "citation") said.cites.set(data.index, data);
      else if (event === "question") { said.asked = data; said.row.classList.add("asks"); }
      else if (event === "action") this.action(said, data);
      else if (event === "handover" && !past) this.queued(data);
      else if (event === "done" && past) for (const cite of data.citations || []) said.cites.set(cite.index, cite);
    }

    action(said, { workflow, state, summary }) {
      let chip = said.chips.get(workflow);
      if (!chip) {
        said.list = said.list || said.row.appendChild(h("div", { class: "chips" }));
        chip = said.list.appendChild(h("span", { class: "chip" }));
        said.chips.set(workflow, chip);
      }
      chip.className = `chip ${/^\w+$/.test(state) ? state : ""}`;
      chip.replaceChildren(h("b", {}, ACTIONS[state] || state), summary && !said.text.includes(summary) ? `: ${summary}` : ` · ${String(workflow).replaceAll("_", " ")}`);
      said.state = state;
      this.scroll();
    }

    done(said, done) {
      this.waiting("");
      for (const cite of done.citations || []) said?.cites.set(cite.index, cite);
      if (said) this.finish(said, done, false);
      if (done.outcome === "failed" && !said) this.say("system", "That didn't work. Please try again, or ask for a person.");
      this.last = done.turn_id;
      this.tell("done", { conversation: this.id, ...done });
    }

    finish(said, done, past) {
      if (said.cites.size) { this.footnotes(said); this.marks(said); }
      const offered = said.asked && ["proposed", "confirming"].includes(said.state);
      if (offered && !past && [null, undefined, "", "confirm", "offer"].includes(said.asked.slot)) {
        said.row.append(h("div", { class: "quick" }, ...["Yes", "No"].map((word) =>
          h("button", { class: "pill", type: "button", onclick: () => this.ask(word) }, word))));
      }
      if (done.turn_id && said.text && !["silent", "failed"].includes(done.outcome)) said.row.append(h("div", { class: "under" }, this.thumbs(done.turn_id), this.why(done.turn_id)));
      if (!said.text && !said.chips.size) said.row.remove();
      this.scroll();
    }

    footnotes(said) {
      const list = h("ol", { class: "cites", "aria-label": "Sources" });
      const sources = new Map();
      for (const cite of [...said.cites.values()].sort((one, other) => one.index - other.index)) {
        const source = `${cite.title || cite.document}\n${cite.url || ""}`;
        sources.set(source, [...(sources.get(source) || []), cite]);
      }
      for (const cites of sources.values()) {
        const address = webAddress(cites[0].url), title = cites[0].title || cites[0].document;
        const item = h("li", { tabindex: "-1" }, `${cites.map((cite) => `[${cite.index}]`).join(" ")} `,
          address ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, title) : title);
        cites.forEach((cite) => { cite.item = item; });
        list.append(item);
      }
      said.bubble.after(list);
    }

    /** Turn [1] in the text into a button that leads to its source. */
    marks(said) {
      const pieces = said.text.split(/\[(\d{1,3})\]/);
      said.bubble.replaceChildren(...pieces.map((piece, at) => {
        const cite = at % 2 ? said.cites.get(Number(piece)) : null;
        if (!cite) return at % 2 ? `[${piece}]` : piece;
        return h("sup", {}, h("button", { type: "button", "aria-label": `Source ${piece}: ${cite.title || ""}`, onclick: () => cite.item.focus() }, `[${piece}]`));
      }));
    }

    /** A disclosure under an answer; what it says is fetched when it is first opened. */
    why(turn) {
      const told = h("div", { "aria-live": "polite" });
      const box = h("details", { class: "why" }, h("summary", {}, "Why this answer?"), told);
      const load = async () => {
        if (!box.open || told.childNodes.length) return;
        told.append(h("p", {}, "One moment…"));
        try {
          const { sentences, pages } = await (await this.call("GET", `/v1/conversations/${this.id}/turns/${turn}/why`)).json();
          const list = pages.length ? h("ul", { "aria-label": "Pages used" }, ...pages.map((page) => h("li", {}, page))) : null;
          told.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)), ...(list ? [list] : []));
          box.scrollIntoView({ block: "nearest" });
        } catch { told.replaceChildren(); box.open = false; this.problem("Why couldn't be looked up. Please try again."); }
      };
      box.addEventListener("toggle", load);
      return box;
    }

    thumbs(turn) {
      const box = h("div", { class: "thumbs", role: "group", "aria-label": "Rate this answer" });
      const rate = async (thumb, button) => {
        try {
          await this.call("POST", `/v1/conversations/${this.id}/feedback`, { body: { turn_id: turn, thumb } });
          for (const other of box.children) other.setAttribute("aria-pressed", String(other === button));
        } catch { this.problem("Your rating couldn't be sent."); }
      };
      for (const [thumb, label] of [["up", "Helpful"], ["down", "Not helpful"]]) {
        box.append(iconButton(thumb, label, (event) => rate(thumb, event.currentTarget), { "aria-pressed": "false" }));
      }
      return box;
    }

    // -------------------------------------------------------------- people
    queued({ queue, reason, position }) {
      if (queue === "assistant" || reason === "given_back") { this.assistantSpeaks(); return; }
      this.under.textContent = "Waiting for a person";
      this.banner.hidden = false;
      this.banner.replaceChildren(h("span", {}, position ? `You're in the queue, position ${position}. You can keep writing.` : "A person will join you here. You can keep writing."));
    }

    humanSpeaks() {
      this.person = true;
      this.under.textContent = "You're talking to a person";
      this.banner.hidden = false;
      this.banner.replaceChildren(h("span", {}, "A member of our team is with you."));
    }

    assistantSpeaks() {
      this.person = false;
      this.under.textContent = "Automated assistant";
      this.banner.hidden = true;
    }

    /** Keep a stream open for what nobody asked for: people's replies, notices, the queue. */
    async follow() {
      if (this.following) return;
      this.following = true;
      const mine = this.generation;
      for (let failures = 0; mine === this.generation;) {
        try {
          const response = await this.call("GET", `/v1/conversations/${this.id}/events?after=${this.cursor}`, { accept: "text/event-stream", signal: this.abort.signal });
          failures = 0;
          for await (const { event, data } of eventsOf(response)) {
            if (mine !== this.generation) return;
            this.news(event, data);
          }
        } catch (error) {
          if (mine !== this.generation || (error instanceof Refused && error.status < 500 && error.status !== 429)) return;
          failures += 1;
        }
        await pause(RETRIES[Math.min(failures, RETRIES.length - 1)]);
      }
    }

    news(event, data) {
      if (event === "handover") { this.queued(data); return; }
      if (event === "action") {
        const said = this.say("system", "");
        said.bubble.hidden = true;
        this.action(said, data);
        this.notice = { said, data };
        return;
      }
      if (event !== "message") return;
      this.cursor = Math.max(this.cursor, data.seq || 0);
      if (this.seen.has(data.id)) return;
      const said = this.say(data.role, data.text, data.id);
      if (data.role === "human") this.humanSpeaks();
      // The notice of an action says what its chip says: show it once.
      if (this.notice && this.notice.data.summary && data.text.includes(this.notice.data.summary)) {
        this.notice.said.row.remove();
        this.action(said, this.notice.data);
      }
      this.notice = null;
    }

    // -------------------------------------------------------------- the end
    survey(open) {
      this.end.hidden = !open;
      this.form.hidden = open;
      if (!open) { this.field.focus(); return; }
      let stars = null, resolved = null;
      const labels = [1, 2, 3, 4, 5].map((number) => {
        const input = h("input", { class: "unseen", type: "radio", name: "csat", value: String(number), "aria-label": `${number} of 5`,
          onchange: () => { stars = number; labels.forEach((label, at) => label.classList.toggle("on", at < number)); } });
        return h("label", {}, input, icon("star"));
      });
      const answers = [["Yes", true], ["No", false]].map(([word, value]) => h("button", { class: "pill", type: "button", "aria-pressed": "false",
        onclick: (event) => { resolved = value; answers.forEach((one) => { const on = one === event.currentTarget; one.classList.toggle("main", on); one.setAttribute("aria-pressed", String(on)); }); } }, word));
      this.end.onsubmit = (event) => { event.preventDefault(); this.finishConversation(stars, resolved); };
      this.end.replaceChildren(
        h("fieldset", {}, h("legend", {}, "How well did we help you today?"), h("div", { class: "stars" }, ...labels)),
        h("fieldset", {}, h("legend", {}, "Is the matter settled?"), h("div", { class: "quick" }, ...answers)),
        h("div", { class: "quick" }, h("button", { class: "pill main", type: "submit" }, "End the chat"),
          h("button", { class: "pill", type: "button", onclick: () => this.survey(false) }, "Keep chatting")));
      labels[0].firstChild.focus();
    }

    async finishConversation(csat, resolved) {
      try {
        const path = `/v1/conversations/${this.id}`;
        if (csat) await this.call("POST", `${path}/feedback`, { body: { csat } });
        await this.call("POST", `${path}/close`, { body: resolved === null ? {} : { resolved } });
        this.stopAll();
        this.store({ id: null, greeting: null });
        this.assistantSpeaks();
        const again = h("button", { class: "pill main", type: "button", onclick: () => this.restart() }, "Start new conversation");
        this.end.onsubmit = (event) => event.preventDefault();
        this.end.replaceChildren(h("p", {}, "Thank you. This conversation has ended."), again);
        again.focus();
      } catch (error) {
        this.problem(error instanceof Refused ? error.message : "That couldn't be sent. Please try again.");
      }
    }
  }

  customElements.define("steward-chat", StewardChat);
})();
