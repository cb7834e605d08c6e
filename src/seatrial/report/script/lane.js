/* The lane of steps and outages, with labels that keep clear of each other. */
const laneHeight = 22, mostRows = 8;
const laneItems = () => [
  ...data.outages.map((one) => ({ outage: true, from: one.from, to: one.to, label: data.outages.length > 6 ? String(one.number) : one.label })),
  ...data.steps.map((one) => ({ from: one.at, to: one.fault && one.until != null ? one.until : one.at, fault: one.fault, label: `${one.number} ${one.label}${one.happened ? "" : " (did not happen)"}`, ghost: !one.happened })),
];
/* Each step gets the first row in which its bar and its label touch nothing. Outages share row 0, and one whose
   label finds no room there goes without. `place` maps a time to pixels, `measure` a label to its width. */
function pack(items, place, measure, left, right, gap) {
  const bars = items.map((item) => {
    const from = clamp(place(item.from), left, right);
    return { item, from, to: Math.max(clamp(place(item.to), left, right), from + gap), row: 0, label: null };
  });
  const rows = [bars.filter((bar) => bar.item.outage).map((bar) => [bar.from, bar.to])];
  const first = rows[0].length ? 1 : 0;
  const free = (row, from, to) => (rows[row] || []).every(([a, b]) => to + gap <= a || from >= b + gap);
  const take = (row, from, to) => (rows[row] ||= []).push([from, to]);
  for (const bar of bars) {
    const width = measure(bar.item.label);
    const sides = [bar.to + gap, bar.from - gap - width].filter((x) => x >= left && x + width <= right);
    if (bar.item.outage) {
      bar.label = sides.find((x) => free(0, x, x + width)) ?? null;
      if (bar.label != null) take(0, bar.label, bar.label + width);
      continue;
    }
    const spots = Array.from({ length: mostRows }, (_, i) => first + i).flatMap((row) => sides.map((x) => [row, x]));
    const spot = spots.find(([row, x]) => free(row, Math.min(bar.from, x), Math.max(bar.to, x + width)));
    [bar.row, bar.label] = spot || [first, null];
    take(bar.row, Math.min(bar.from, bar.label ?? bar.from), Math.max(bar.to, bar.label == null ? bar.to : bar.label + width));
  }
  return bars;
}
function stepsChart() {
  const figure = document.getElementById("chart-steps");
  const options = frame(figure, 0);
  const items = laneItems();
  const ink = document.createElement("canvas").getContext("2d");
  ink.font = axisFont();
  const left = 64 * scale, right = options.width - 18 * scale, from = edges[0], to = edges[edges.length - 1];
  const placed = pack(items, (time) => left + ((time - from) / (to - from)) * (right - left), (label) => ink.measureText(label).width, left, right, 6 * scale);
  const rows = 1 + Math.max(0, ...placed.map((one) => one.row));
  overview.push(new uPlot({
    ...options,
    height: (rows * laneHeight + 40) * scale,
    scales: { x: { time: false }, y: { range: () => [0, 1] } },
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [timeAxis(), { ...axis(), size: 64 * scale, grid: { show: false }, values: () => [] }],
    hooks: { drawClear: [shade], draw: [drawLane], setScale: [(u, key) => key === "x" && follow(u)] },
  }, [[from, to], [0, 0]], figure.querySelector(".plot")));
}
function drawLane(u) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.font = canvasFont();
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  marks(u);
  const visible = laneItems().filter((item) => item.to >= u.scales.x.min && item.from <= u.scales.x.max);
  const packed = pack(visible, (time) => u.valToPos(time, "x", true), (label) => ctx.measureText(label).width, bbox.left, bbox.left + bbox.width, 6 * unit);
  for (const { item, row, from, to, label } of packed) {
    const middle = bbox.top + (row + 0.5) * laneHeight * unit;
    if (item.outage) {
      ctx.fillStyle = hatched("bad");
      ctx.fillRect(from, middle - 6 * unit, to - from, 12 * unit);
    } else {
      ctx.globalAlpha = item.ghost ? 0.5 : 1;
      ctx.fillStyle = colour("accent");
      if (item.fault) ctx.fillRect(from, middle - 4 * unit, to - from, 8 * unit);
      else flag(ctx, from, middle);
    }
    ctx.fillStyle = colour("ink");
    if (label != null) haloed(ctx, item.label, label, middle + unit / 2);
    ctx.globalAlpha = 1;
  }
  ctx.restore();
}
function haloed(ctx, text, x, y) { // readable over lines and shades
  ctx.strokeStyle = colour("page");
  ctx.lineWidth = 4 * unit;
  ctx.lineJoin = "round";
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}
function flag(ctx, x, middle) {
  ctx.beginPath();
  ctx.moveTo(x, middle - 6 * unit);
  ctx.lineTo(x + 9 * unit, middle);
  ctx.lineTo(x, middle + 6 * unit);
  ctx.fill();
}
