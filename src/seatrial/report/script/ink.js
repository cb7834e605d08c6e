/* What charts are drawn with: the run's data, the page's colours, its type, and how values read.
   The files of this folder are joined into one script, in the order that html.py names. */
const probe = document.body.appendChild(document.createElement("i"));
probe.hidden = true;
const colour = (name) => {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
};
const faint = (name, percent) => {
  probe.style.color = `color-mix(in srgb, var(--${name}) ${percent}%, transparent)`;
  return getComputedStyle(probe).color;
};
const hatched = (name) => {
  const size = 8 * unit;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const ink = tile.getContext("2d");
  ink.fillStyle = colour(name);
  ink.fillRect(0, 0, size, size);
  ink.strokeStyle = faint("panel", 60);
  ink.lineWidth = size / 5;
  for (const shift of [-size, 0, size]) {
    ink.beginPath();
    ink.moveTo(shift - 1, size + 1);
    ink.lineTo(shift + size + 1, -1);
    ink.stroke();
  }
  return ink.createPattern(tile, "repeat");
};

const source = document.getElementById("chart-data");
const data = source ? JSON.parse(source.textContent) : null;
const buckets = data && data.overview;
let scale = 1; // 2 while printing
let unit = 1; // device pixels per CSS pixel of the page as printed or shown
let overview = []; // charts that share one time axis
let closeUps = [];

const fontOf = (pixels) => `${pixels}px ${getComputedStyle(document.body).fontFamily}`;
const axisFont = () => fontOf(12 * scale); // uPlot itself multiplies by the device's pixel ratio
const canvasFont = (size = 12) => fontOf(size * unit);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// ── how values read ──────────────────────────────────────────────────────────────────────────────
const tidy = (value) => String(+value.toPrecision(3));
const milliseconds = (value) => (value == null ? "–" : value >= 1000 ? `${tidy(value / 1000)} s` : `${tidy(value)} ms`);
const perSecond = (value) => (value == null ? "–" : `${value < 10 ? tidy(value) : Math.round(value).toLocaleString("en")}/s`);
