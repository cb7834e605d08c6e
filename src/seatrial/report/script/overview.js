/* The charts of the whole run, on one time axis. */
function buildOverview() {
  stepsChart();
  const good = rates(buckets.good), bad = rates(buckets.bad), unsent = rates(buckets.unsent);
  const due = sum(sum(good, bad), unsent);
  overviewChart("chart-arrivals", {
    height: 220,
    yScale: fromZero(),
    yAxis: valueAxis(perSecond),
    layers: [
      ...(buckets.unsent.some(Boolean) ? [{ label: "never sent", values: due, shown: unsent, read: perSecond, colour: "untold", hatch: true }] : []),
      { label: "good", values: sum(good, bad), shown: good, read: perSecond, colour: "good-wash" },
      { label: "bad", values: bad, shown: bad, read: perSecond, colour: "bad", hatch: true },
    ],
    over: floorMarks,
  });
  overviewChart("chart-latency", {
    height: 220,
    yScale: { distr: 3, range: decades },
    yAxis: { ...valueAxis(milliseconds), splits: (u) => powers(u.scales.y.min, u.scales.y.max), filter: (u, splits) => splits },
    layers: [
      { label: "largest", values: held(buckets.max), shown: buckets.max, read: milliseconds, colour: "soft", line: true, dash: [2, 2], width: 1 },
      { label: "p95", values: held(buckets.p95), shown: buckets.p95, read: milliseconds, colour: "late", line: true },
      { label: "p50", values: held(buckets.p50), shown: buckets.p50, read: milliseconds, colour: "good", line: true, width: 2 },
    ].filter((layer) => layer.shown.some((value) => value != null)), // no stretch may have answers enough for a p95
    over: deadlineLine,
  });
  const sent = rates(buckets.sent), answered = rates(buckets.answered);
  overviewChart("chart-rate", {
    height: 180,
    yScale: fromZero(),
    yAxis: valueAxis(perSecond),
    layers: [
      { label: "due", values: due, shown: due, read: perSecond, colour: "soft", line: true, width: 3 },
      { label: "sent", values: sent, shown: sent, read: perSecond, colour: "late", line: true, dash: [5, 4] },
      { label: "answered ok", values: answered, shown: answered, read: perSecond, colour: "good", line: true },
    ],
  });
  overviewChart("chart-served", { height: 180, yScale: fromZero(), yAxis: valueAxis(perSecond), layers: servedLayers() });
}
/* Bands are drawn from the tallest sum down, so that each covers the one behind it. A release named after a
   colour gets that colour; a colour used twice is hatched the second time. */
function servedLayers() {
  const used = new Set();
  let tones = 0;
  let below = null;
  const layers = buckets.served.map(({ name, counts }) => {
    const shown = rates(counts);
    below = below ? sum(below, shown) : shown;
    const named = name.match(/^(blue|green)\b/);
    const tone = name === "no answer" ? "bad" : name === "did not say who" ? "untold" : named ? `tone-${named[1]}` : `tone-${tones++ % 5}`;
    const hatch = used.has(tone) || tone === "bad";
    used.add(tone);
    return { label: name, values: below, shown, read: perSecond, colour: tone, hatch };
  });
  return layers.reverse();
}
const decades = (u, low, high) => (low > 0 ? [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(high * 1.05))] : [0.1, 1000]);
const powers = (low, high) => {
  const found = [];
  for (let power = Math.round(Math.log10(low)); power <= Math.round(Math.log10(high)); power++) found.push(10 ** power);
  return found;
};
function floorMarks(u) { // one bad request among thousands must still be seen
  const { ctx, bbox } = u;
  ctx.fillStyle = colour("bad");
  buckets.bad.forEach((count, i) => {
    if (!count || edges[i + 1] < u.scales.x.min || edges[i] > u.scales.x.max) return;
    const left = at(u, edges[i]);
    ctx.fillRect(left, bbox.top + bbox.height - 4 * unit, Math.max(at(u, edges[i + 1]) - left, 2 * unit), 4 * unit);
  });
}
function deadlineLine(u) {
  const { ctx, bbox } = u;
  if (data.deadline < u.scales.y.min || data.deadline > u.scales.y.max) return;
  const y = u.valToPos(data.deadline, "y", true);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour("bad");
  ctx.lineWidth = unit;
  ctx.setLineDash([6 * unit, 4 * unit]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = canvasFont(11);
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic";
  haloed(ctx, `deadline ${milliseconds(data.deadline)}`, bbox.left + bbox.width - 4 * unit, y - 7 * unit);
  ctx.restore();
}
