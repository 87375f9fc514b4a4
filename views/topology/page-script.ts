/**
 * The filter of the page: it hides what does not match, and moves what does to the first places of the drawing. The
 * page says all without it; it only appears where scripts run. The page's content security policy has its digest.
 */
export const FILTER_SCRIPT = `(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const form = document.getElementById("filter"), text = document.getElementById("find");
  const sites = all(".fleet .site"), slots = all(".fleet .slot"), groups = all("tbody"), buttons = all("button[data-state]");
  const drawing = document.querySelector("figure .fleet"), shown = document.getElementById("shown");
  if (!form || !drawing) return;
  const hub = drawing.querySelector(".hub");
  const places = sites.map((site) => site.getAttribute("transform"));
  const cardHeight = sites[0].querySelector(".card").height.baseVal.value;
  const [, , width, height] = drawing.getAttribute("viewBox").split(" ").map(Number);
  const top = (place) => Number(place.match(/ ([\\d.]+)\\)/)[1]);
  const margin = height - Math.max(...places.map(top)) - cardHeight;
  let state = "";
  const show = () => {
    const words = text.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const matching = new Set();
    for (const group of groups) {
      const said = group.textContent.toLowerCase();
      group.hidden = !((state === "" || group.dataset.state === state) && words.every((word) => said.includes(word)));
      if (!group.hidden) matching.add(group.dataset.site);
    }
    let n = 0, bottom = 0;
    for (const site of sites) {
      const isShown = matching.has(site.dataset.site);
      site.style.display = isShown ? "" : "none";
      if (!isShown) continue;
      site.setAttribute("transform", places[n]);
      bottom = top(places[n]);
      n += 1;
    }
    slots.forEach((slot, i) => (slot.style.display = i < n ? "" : "none"));
    const now = (n === 0 ? hub.y.baseVal.value + hub.height.baseVal.value : bottom + cardHeight) + margin;
    drawing.setAttribute("viewBox", "0 0 " + width + " " + now);
    drawing.setAttribute("height", now);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.state === state));
    shown.textContent = n === sites.length ? "" : n + " of " + sites.length + " sites";
  };
  for (const button of buttons) {
    button.disabled = false;
    button.addEventListener("click", () => { state = state === button.dataset.state ? "" : button.dataset.state; show(); });
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  text.addEventListener("input", show);
  show();
})();`;

/** The SHA-256 of FILTER_SCRIPT, in base64. */
export const FILTER_SCRIPT_DIGEST = "P/ocFrJuvjB98qKgackofCiBgdDFx6t7EiP/ryB9zxw=";
