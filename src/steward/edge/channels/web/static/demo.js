/* The demo's page: example questions lead into the widget, and each turn's trace is shown beside it. */
(() => {
  "use strict";
  const chat = document.querySelector("steward-chat");
  const trace = document.getElementById("trace");
  let begun = 0, live = null;

  function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const time = (ms) => (ms === null || ms === undefined ? "–" : ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`);
  const words = (text) => (text ? String(text).replaceAll("_", " ") : "–");

  document.querySelectorAll("[data-ask]").forEach((button) => button.addEventListener("click", () => chat.ask(button.dataset.ask)));

  chat.addEventListener("steward-stage", (event) => {
    if (!live) {
      begun = event.detail.at;
      live = h("ul", { class: "list", "aria-live": "off" });
      trace.replaceChildren(h("h3", {}, "Running"), live);
    }
    live.append(h("li", {}, h("b", { class: "live" }, event.detail.stage), ` after ${time(event.detail.at - begun)}`));
  });

  chat.addEventListener("steward-done", async (event) => {
    live = null;
    const done = event.detail;
    show(done, null);
    try {
      const response = await fetch(trace.dataset.turns + done.turn_id, { credentials: "same-origin" });
      if (response.ok) show(done, await response.json());
      else trace.append(h("p", { class: "empty" }, "The trace has expired; load this page again to see more."));
    } catch { trace.append(h("p", { class: "empty" }, "The trace can't be read just now.")); }
  });

  function show(done, turn) {
    const parts = [summary(done, turn), confidence(done)];
    if (turn) parts.push(stages(turn), decisions(turn), passages(turn), sentences(turn));
    trace.replaceChildren(...parts.filter(Boolean));
  }

  function summary(done, turn) {
    const cost = done.cost === null ? "–" : Number(done.cost) === 0 ? `0 ${done.currency}` : `${done.cost} ${done.currency}`;
    const rows = [["Outcome", h("span", { class: "outcome" }, words(done.outcome))], ["Time", time(done.latency_ms)],
      ["First words", time(done.first_token_ms)], ["Cost", cost], ["Model", turn ? turn.model || "none" : "…"], ["Release", done.release.slice(0, 12)]];
    if (turn && turn.reason) rows.push(["Why", words(turn.reason)]);
    return h("dl", { class: "summary" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  function confidence(done) {
    if (done.confidence === null) return null;
    const bar = h("i");
    bar.style.width = `${Math.round(done.confidence * 100)}%`;
    return h("div", {}, h("h3", {}, "Intent"), h("div", {}, h("b", {}, words(done.intent)), ` in ${words(done.category)}, ${(done.confidence * 100).toFixed(1)} % sure`),
      h("div", { class: "meter", role: "img", "aria-label": `Confidence ${(done.confidence * 100).toFixed(1)} %` }, bar));
  }

  function stages(turn) {
    const total = turn.stages.reduce((sum, stage) => sum + stage.ms, 0) || 1;
    let at = 0;
    const rows = turn.stages.map((stage) => {
      const bar = h("i");
      bar.style.left = `${Math.min((at / total) * 100, 99)}%`;
      bar.style.width = `${(stage.ms / total) * 100}%`;
      at += stage.ms;
      return h("tr", {}, h("th", { scope: "row" }, stage.name), h("td", {}, h("span", { class: "track" }, bar)), h("td", {}, time(stage.ms)));
    });
    return h("div", {}, h("h3", {}, "Stages"), h("table", { class: "stages" }, h("tbody", {}, ...rows)));
  }

  function list(title, items) {
    return items.length ? h("div", {}, h("h3", {}, title), h("ul", { class: "list" }, ...items)) : null;
  }

  /** A decision's values come as a JSON object in text. */
  function facts(text) {
    try {
      return Object.entries(JSON.parse(text)).map(([name, value]) => {
        return `${words(name)} ${fact(value)}`;
      }).join(" · ");
    } catch { return text; }
  }

  function fact(value) {
    if (Array.isArray(value)) return value.map((item) => (Array.isArray(item) ? item.map(fact).join(" ") : fact(item))).join(", ");
    if (typeof value === "number") return String(+value.toFixed(3));
    if (typeof value === "boolean") return value ? "yes" : "no";
    return typeof value !== "string" ? JSON.stringify(value) : /^[0-9a-f]{32,}$/.test(value) ? `${value.slice(0, 8)}…` : value;
  }

  function decisions(turn) {
    return list("Decisions", turn.decisions.map((made) => h("li", {}, h("b", {}, made.stage), ` ${words(made.what)}`, h("small", {}, facts(made.value)))));
  }

  function passages(turn) {
    return list("Passages", turn.passages.map((found) => h("li", {}, h("b", { class: found.cited ? "cited" : "" }, found.title),
      found.heading.startsWith(`${found.title} › `) ? found.heading.slice(found.title.length) : "", found.score === null ? "" : ` · ${found.score.toFixed(2)}`, found.cited ? " · cited" : "", h("small", {}, found.body.slice(0, 240)))));
  }

  function sentences(turn) {
    return list("Sentences checked", turn.sentences.map((said) => h("li", {}, h("b", {}, words(said.verdict)), said.reason ? ` (${words(said.reason)})` : "", h("small", {}, said.text))));
  }
})();
