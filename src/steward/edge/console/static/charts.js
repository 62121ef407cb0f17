/* Draws the page's Vega-Lite charts with Vega's expression interpreter: no eval, so a strict policy holds. */
(() => {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function config() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      background: "transparent", font: "system-ui, sans-serif", view: { stroke: null },
      axis: { labelColor: colour("--soft"), titleColor: colour("--soft"), gridColor: colour("--line"), domainColor: colour("--line"), tickColor: colour("--line"), labelFontSize: 12 },
      legend: { labelColor: colour("--ink"), labelFontSize: 12 },
      range: { category: [colour("--accent"), colour("--second")] },
      mark: { color: colour("--accent") },
      style: {
        limit: { color: colour("--bad") }, zero: { color: colour("--soft") }, event: { color: colour("--ink") },
        caption: { color: colour("--ink"), fontSize: 12 },
      },
    };
  }

  const drawn = new WeakMap();

  /** Draw what is new or has changed; a chart that is there already stays, so that nothing flickers. */
  function draw(again) {
    for (const place of document.querySelectorAll(".chart[data-spec]")) {
      if (!again && drawn.get(place) === place.dataset.spec) continue;
      drawn.set(place, place.dataset.spec);
      window.vegaEmbed(place, JSON.parse(place.dataset.spec), { ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: false, config: config() })
        .catch((error) => { place.textContent = `The chart can't be drawn: ${error.message}`; });
    }
  }

  dark.addEventListener("change", () => draw(true));
  document.addEventListener("htmx:after:swap", () => draw(false));
  draw(true);
})();
