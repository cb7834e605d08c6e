/* An experiment over months: every run a bar from its lower to its upper bound, beside what was promised.
   The data are the rows of the table below each chart. `ink.js` of the report goes before this file. */
const verdictInk = { pass: "pass", fail: "fail", unknown: "unknown" };
const rowsOf = (figure) => [...figure.parentElement.querySelectorAll("tr[data-at]")].map((row) => ({
  at: +row.dataset.at,
  lower: +row.dataset.lower,
  upper: row.dataset.upper === "" ? Infinity : +row.dataset.upper,
  promised: +row.dataset.promised,
  verdict: row.dataset.verdict,
})).sort((a, b) => a.at - b.at);
const reading = {
  s: (value) => `${tidy(value)} s`,
  ms: milliseconds,
  ratio: (value) => `${tidy(100 * value)} %`,
  per_s: perSecond,
};
let months = [];

function monthsChart(figure) {
  const points = rowsOf(figure);
  if (!points.length) return;
  figure.hidden = false;
  const promised = figure.dataset.promised === "yes";
  const read = reading[figure.dataset.unit] || ((value) => `${tidy(value)} ${figure.dataset.unit}`);
  const ends = points.flatMap((one) => [one.lower, one.upper, ...(promised ? [one.promised] : [])]).filter(Number.isFinite);
  const high = Math.max(...ends) * 1.12 || 1;
  const first = points[0].at, last = points[points.length - 1].at;
  const around = Math.max((last - first) * 0.03, 43200);
  const axis = { stroke: colour("soft"), font: axisFont(), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, gap: 6 };
  months.push(new uPlot({
    width: Math.max(figure.clientWidth, 240),
    height: 240,
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 16, 0, 0],
    scales: { x: { range: () => [first - around, last + around] }, y: { range: () => [0, high] } },
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [
      { ...axis, space: 90, values: (u, splits) => splits.map((at) => new Date(at * 1000).toISOString().slice(0, 10)) },
      { ...axis, size: 68, values: (u, splits) => splits.map(read) },
    ],
    hooks: { draw: [(u) => drawMonths(u, points, promised, high)] },
  }, [points.map((one) => one.at), points.map((one) => one.lower)], figure.querySelector(".plot")));
}
function drawMonths(u, points, promised, high) {
  const { ctx } = u;
  const x = (at) => u.valToPos(at, "x", true), y = (value) => u.valToPos(Math.min(value, high), "y", true);
  ctx.save();
  ctx.lineWidth = 2 * unit;
  if (promised) {
    ctx.strokeStyle = colour("accent");
    ctx.setLineDash([6 * unit, 4 * unit]);
    ctx.beginPath();
    points.forEach((one, i) => (i ? ctx.lineTo(x(one.at), y(one.promised)) : ctx.moveTo(x(one.at), y(one.promised))));
    if (points.length === 1) { ctx.moveTo(u.bbox.left, y(points[0].promised)); ctx.lineTo(u.bbox.left + u.bbox.width, y(points[0].promised)); }
    ctx.stroke();
    ctx.setLineDash([]);
  }
  const wide = Math.max(2, Math.min(6, u.bbox.width / unit / points.length / 2)) * unit;
  for (const one of points) {
    const top = y(one.upper), bottom = y(one.lower), middle = x(one.at);
    ctx.fillStyle = ctx.strokeStyle = colour(verdictInk[one.verdict] || "good");
    const tall = Math.max(bottom - top, 3 * unit);
    if (one.verdict === "unknown") {
      ctx.strokeRect(middle - wide / 2, bottom - tall, wide, tall);
    } else {
      ctx.fillRect(middle - wide / 2, bottom - tall, wide, tall);
    }
    if (!Number.isFinite(one.upper)) {
      ctx.beginPath();
      ctx.moveTo(middle - wide - 2 * unit, top + 8 * unit);
      ctx.lineTo(middle, top);
      ctx.lineTo(middle + wide + 2 * unit, top + 8 * unit);
      ctx.fill();
    }
  }
  ctx.restore();
}
function buildMonths() {
  for (const chart of months) chart.destroy();
  months = [];
  unit = devicePixelRatio;
  document.querySelectorAll(".months").forEach(monthsChart);
}
document.addEventListener("theme", buildMonths);
let resizing = 0;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(buildMonths, 150); });
buildMonths();
