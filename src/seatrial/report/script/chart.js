/* One chart of the overview: its time axis, its legend, and what lies under and over every one of them. */
const edgesOf = (run) => {
  const edges = Array.from({ length: run.good.length + 1 }, (_, i) => run.start + i * run.width);
  edges[0] = Math.max(edges[0], run.from);
  edges[edges.length - 1] = Math.max(Math.min(edges[edges.length - 1], run.to), edges[edges.length - 2] + 1e-6);
  return edges;
};
const edges = buckets ? edgesOf(buckets) : [];
const held = (values) => [...values, values[values.length - 1]]; // a stepped line needs its last edge
const rates = (counts) => held(counts.map((count, i) => count / (edges[i + 1] - edges[i])));
const sum = (a, b) => a.map((value, i) => value + b[i]);
const bucketAt = (time) => clamp(Math.floor((time - buckets.start) / buckets.width), 0, buckets.good.length - 1);

// ── one chart of the overview ────────────────────────────────────────────────────────────────────
/* layers: [{label, values, shown, read, colour, hatch, line, dash}]; `values` are drawn, `shown` are read out. */
function overviewChart(id, { height, layers, yScale, yAxis, under, over }) {
  const figure = document.getElementById(id);
  if (!figure) return; // the page has nothing to show there, and says so
  const paint = (layer) => (layer.hatch ? hatched(layer.colour) : colour(layer.colour));
  const readouts = legend(figure.querySelector(".legend"), layers, paint);
  const chart = new uPlot({
    ...frame(figure, height),
    scales: { x: { time: false }, y: yScale },
    series: [{}, ...layers.map((layer) => ({
      stroke: layer.line ? colour(layer.colour) : undefined,
      fill: layer.line ? undefined : () => paint(layer),
      width: layer.line ? (layer.width || 1.5) * scale : 0,
      dash: layer.dash && layer.dash.map((length) => length * scale),
      paths: uPlot.paths.stepped({ align: 1 }),
      points: { show: false },
    }))],
    axes: [timeAxis(), yAxis],
    hooks: {
      drawClear: [shade],
      draw: [(u) => { marks(u); if (over) over(u); }],
      setScale: [(u, key) => key === "x" && follow(u)],
      setCursor: [(u) => readouts(u.cursor.left >= 0 ? bucketAt(u.posToVal(u.cursor.left, "x")) : null)],
    },
  }, [edges, ...layers.map((layer) => layer.values)], figure.querySelector(".plot"));
  overview.push(chart);
}

const paperHeight = 0.72; // of the height on screen: the whole overview then fits one page
const frame = (figure, height) => ({
  width: Math.max(figure.clientWidth, 260) * scale,
  height: height * (scale > 1 ? paperHeight : 1) * scale,
  legend: { show: false },
  padding: [8 * scale, 18 * scale, 0, 0],
  cursor: {
    y: false,
    points: { show: false },
    drag: { x: true, y: false, setScale: true },
    sync: { key: "run", setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
  },
});
const axis = () => ({
  stroke: colour("soft"),
  font: axisFont(),
  grid: { stroke: colour("grid"), width: scale },
  ticks: { show: false },
  gap: 6 * scale,
});
const timeAxis = () => ({ ...axis(), size: 28 * scale, space: 70 * scale, values: (u, splits) => splits.map((at) => `${+at.toFixed(6)} s`) });
const valueAxis = (read) => ({ ...axis(), size: 64 * scale, space: 34 * scale, values: (u, splits) => splits.map(read) });
const fromZero = () => ({ range: (u, low, high) => [0, high > 0 ? high * 1.08 : 1] });

function legend(list, layers, paint) {
  if (!list) return () => {};
  list.replaceChildren();
  const outputs = layers.map((layer) => {
    const item = list.appendChild(document.createElement("li"));
    const swatch = item.appendChild(document.createElement("canvas"));
    swatch.width = 18 * unit;
    swatch.height = 12 * unit;
    const ink = swatch.getContext("2d");
    if (layer.line) {
      ink.strokeStyle = colour(layer.colour);
      ink.lineWidth = 2.5 * unit;
      ink.setLineDash((layer.dash || []).map((length) => length * unit));
      ink.beginPath();
      ink.moveTo(0, 6 * unit);
      ink.lineTo(18 * unit, 6 * unit);
      ink.stroke();
    } else {
      ink.fillStyle = paint(layer);
      ink.fillRect(0, 0, swatch.width, swatch.height);
    }
    item.append(layer.label);
    return item.appendChild(document.createElement("output"));
  });
  return (bucket) => outputs.forEach((output, i) => {
    output.textContent = bucket == null ? "" : layers[i].read(layers[i].shown[bucket]);
  });
}

let following = false;
function follow(leader) {
  if (following) return;
  following = true;
  const { min, max } = leader.scales.x;
  for (const chart of overview) if (chart !== leader) chart.setScale("x", { min, max });
  following = false;
}

// ── what lies under and over every overview chart ────────────────────────────────────────────────
const at = (u, time) => clamp(u.valToPos(time, "x", true), u.bbox.left, u.bbox.left + u.bbox.width);
function shade(u) {
  const { ctx, bbox } = u;
  const band = (from, to, fill, least = 0) => {
    const left = at(u, from), right = at(u, to);
    if (to < u.scales.x.min || from > u.scales.x.max) return;
    ctx.fillStyle = fill;
    ctx.fillRect(left, bbox.top, Math.max(right - left, least), bbox.height);
  };
  ctx.save();
  band(edges[0], data.start, colour("warmup"));
  for (const step of data.steps) if (step.fault && step.until != null) band(step.at, step.until, faint("accent", 9));
  for (const outage of data.outages) band(outage.from, outage.to, faint("bad", 20), 1.5 * unit);
  ctx.restore();
}
function marks(u) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = colour("accent");
  ctx.lineWidth = unit;
  for (const step of data.steps) {
    for (const time of step.fault && step.until != null ? [step.at, step.until] : [step.at]) {
      if (!step.happened || time < u.scales.x.min || time > u.scales.x.max) continue;
      ctx.setLineDash(step.fault ? [4 * unit, 3 * unit] : []);
      ctx.beginPath();
      ctx.moveTo(at(u, time), bbox.top);
      ctx.lineTo(at(u, time), bbox.top + bbox.height);
      ctx.stroke();
    }
  }
  ctx.restore();
}
