/* The page around the charts: theme, zoom, resizing, print.
   Every chart is rebuilt when the theme or the width changes, and for print at twice the size and half the zoom,
   so that paper gets sharp, light charts. */
const root = document.documentElement;
const wantsDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : wantsDark.matches);

// ── theme ────────────────────────────────────────────────────────────────────────────────────────
const themeButton = document.getElementById("theme");
const showTheme = () => {
  themeButton.textContent = isDark() ? "Light" : "Dark";
  themeButton.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`);
};
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
  build();
});
wantsDark.addEventListener("change", () => { showTheme(); build(); });
showTheme();

function build() {
  if (!data) return;
  for (const chart of [...overview, ...closeUps]) chart.destroy();
  overview = [];
  closeUps = [];
  for (const figure of document.querySelectorAll(".closeup")) figure.remove();
  unit = devicePixelRatio * scale;
  buildOverview();
  data.closeups.forEach(buildCloseUp);
}
function zoomButtons() {
  const bar = document.getElementById("zoom-buttons");
  bar.hidden = false;
  const zoom = (min, max) => overview[0].setScale("x", { min, max });
  bar.querySelector("[data-zoom]").addEventListener("click", () => zoom(edges[0], edges[edges.length - 1]));
  for (const outage of data.outages.slice(0, 8)) {
    const button = bar.appendChild(document.createElement("button"));
    button.type = "button";
    button.className = "quiet";
    button.textContent = `Outage ${outage.number}`;
    const margin = Math.max((outage.to - outage.from) * 0.75, 5 * buckets.width);
    button.addEventListener("click", () => zoom(Math.max(outage.from - margin, edges[0]), Math.min(outage.to + margin, edges[edges.length - 1])));
  }
}
let beforePrint = null;
addEventListener("beforeprint", () => {
  beforePrint = { theme: root.dataset.theme, closed: [...document.querySelectorAll("details:not([open])")] };
  for (const details of beforePrint.closed) details.open = true;
  root.dataset.theme = "light";
  document.body.style.width = "182mm"; // A4 less its margins, so that charts are built as wide as the paper
  scale = 2;
  build();
  document.body.style.width = "";
});
addEventListener("afterprint", () => {
  if (!beforePrint) return;
  for (const details of beforePrint.closed) details.open = false;
  if (beforePrint.theme) root.dataset.theme = beforePrint.theme;
  else delete root.dataset.theme;
  beforePrint = null;
  scale = 1;
  build();
});
if (data) {
  build();
  zoomButtons();
  let width = document.body.clientWidth;
  new ResizeObserver(() => requestAnimationFrame(() => {
    if (beforePrint || document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    build();
  })).observe(document.body);
}
