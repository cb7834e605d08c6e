/* Close-ups of outages: every request a line from the instant it was due to its answer. */
const GOOD = 0, FAILED = 1, LATE = 2, UNANSWERED = 3, DROPPED = 4;
const WORDS = ["good", "failed", "ok, but too late", "never answered", "never sent"];
const ticks = 1e-5; // seconds
const never = 1e9; // where an end lies that was not seen
const closeUpHeader = 74;

function buildCloseUp(one) {
  const host = document.getElementById("closeups");
  const figure = host.appendChild(document.createElement("figure"));
  figure.className = "chart closeup";
  figure.innerHTML = '<figcaption><b></b> <span></span></figcaption><div class="plots"></div><p class="readout"></p>';
  figure.querySelector("b").textContent = `Outage ${one.number}`;
  const drawn = one.due.length.toLocaleString("en"), omitted = one.omitted.toLocaleString("en");
  figure.querySelector("figcaption span").textContent = one.omitted
    ? `${drawn} requests near its ends and its longest run; ${omitted} between them are not drawn`
    : `${drawn} requests`;
  const due = one.due.map((steps) => one.base + steps * ticks);
  const end = due.map((time, i) => time + (one.took[i] == null ? (one.state[i] === DROPPED ? 0 : data.deadline / 1000) : one.took[i] * ticks));
  const requests = { ...one, due, end };
  const all = due.length - 1;
  const begins = nearestTo(due, one.brackets[0].outer[0]), resumes = nearestTo(due, one.brackets[0].outer[1]);
  const endless = one.brackets[0].outer[1] >= never;
  const views = [{ title: "", first: 0, last: all, height: 380 }];
  if (resumes - begins > 4 * edgeRequests) {
    const around = (i) => ({ first: Math.max(i - edgeRequests, 0), last: Math.min(i + edgeRequests, all), height: 300 });
    views.push({ title: "Where its longest run began", ...around(begins) }, { title: endless ? "Where the record ends" : "Where its longest run ended", ...around(resumes) });
  } else if (resumes - begins + 2 * edgeRequests < all / 4) {
    views.push({ title: "Its longest run", first: Math.max(begins - edgeRequests, 0), last: Math.min(resumes + edgeRequests, all), height: 300 });
  }
  const plots = figure.querySelector(".plots");
  plots.replaceChildren(...views.map(({ title }) => closeUpBox(title, one)));
  views.forEach((view, i) => buildRequests(figure, plots.children[i], requests, view));
}
const edgeRequests = 10; // before and after each end of an outage
const nearestTo = (instants, time) => instants.reduce((best, instant, i) => (Math.abs(instant - time) < Math.abs(instants[best] - time) ? i : best), 0);
function closeUpBox(title, one) {
  const box = document.createElement("div");
  if (title) box.appendChild(document.createElement("h4")).textContent = title;
  const plot = box.appendChild(document.createElement("div"));
  plot.className = "plot";
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", [title, ...one.brackets.map(spoken)].filter(Boolean).join("; "));
  return box;
}
const spoken = (bracket) => `${bracket.name === "clients" ? "perceived by clients" : "outage of the server"}: ${bracket.length}`;

function buildRequests(figure, box, one, view) {
  const whole = !view.title;
  const from = one.due[view.first], last = one.due[view.last], span = Math.max(last - from, 1e-3);
  const outer = whole ? one.brackets.flatMap((bracket) => bracket.outer).filter((time) => Math.abs(time) < never) : [];
  const longest = Math.max(...one.end.slice(view.first, view.last + 1));
  const until = Math.max(last, ...outer, Math.min(longest, last + 0.5 * span)) + 0.02 * span;
  const readout = figure.querySelector(".readout");
  closeUps.push(new uPlot({
    ...frame(box, view.height),
    padding: [closeUpHeader * scale, 18 * scale, 0, 0],
    cursor: { points: { show: false }, drag: { x: true, y: true, uni: 24 } },
    scales: { x: { time: false }, y: { dir: -1, range: (u, low, high) => [low - 1, high + 1] } },
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [timeAxis(), valueAxis((ordinal) => (Number.isInteger(ordinal) && ordinal > 0 ? ordinal.toLocaleString("en") : ""))],
    hooks: {
      draw: [(u) => { drawRequests(u, one); drawBrackets(u, one.brackets, whole); }],
      setCursor: [(u) => { readout.textContent = describe(u, one); }],
    },
  }, [[Math.min(from, ...outer) - 0.02 * span, until], [one.ordinal[view.first], one.ordinal[view.last]]], box.querySelector(".plot")));
}

function drawRequests(u, one) {
  const { ctx, bbox } = u;
  const { due, end } = one;
  const inks = [colour("good"), colour("bad"), colour("late"), colour("bad"), colour("ink")];
  const row = Math.abs(u.valToPos(1, "y", true) - u.valToPos(0, "y", true));
  const thick = clamp(row * 0.4, 1.6 * unit, 4 * unit), mark = clamp(row * 0.4, 1.6 * unit, 4 * unit);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const state of [GOOD, LATE, UNANSWERED, FAILED, DROPPED]) {
    ctx.strokeStyle = ctx.fillStyle = inks[state];
    for (let i = 0; i < due.length; i++) {
      if (one.state[i] !== state) continue;
      const y = u.valToPos(one.ordinal[i], "y", true), x0 = u.valToPos(due[i], "x", true), x1 = Math.max(u.valToPos(end[i], "x", true), x0 + 2 * unit);
      ctx.lineWidth = thick;
      ctx.setLineDash(state === UNANSWERED ? [5 * unit, 3 * unit] : []);
      if (state !== DROPPED) stroke(ctx, x0, y, x1, y);
      ctx.setLineDash([]);
      ctx.lineWidth = 1.3 * unit;
      endMark(ctx, state, state === DROPPED ? x0 : x1, y, mark);
    }
  }
  for (let i = 1; i < one.ordinal.length; i++) if (one.ordinal[i] > one.ordinal[i - 1] + 1) drawGap(u, one.ordinal[i - 1], one.ordinal[i]);
  ctx.restore();
}
const stroke = (ctx, x0, y0, x1, y1) => { ctx.beginPath(); ctx.moveTo(x0, y0); ctx.lineTo(x1, y1); ctx.stroke(); };
function endMark(ctx, state, x, y, size) { // shapes, so that colour is not the only difference
  if (state === FAILED) {
    stroke(ctx, x - size, y - size, x + size, y + size);
    stroke(ctx, x - size, y + size, x + size, y - size);
  } else if (state === LATE) {
    ctx.fillRect(x - size, y - size, 2 * size, 2 * size);
  } else if (state === UNANSWERED) {
    ctx.beginPath();
    ctx.arc(x, y, size, 0, 2 * Math.PI);
    ctx.stroke();
  } else if (state === DROPPED) {
    ctx.beginPath();
    ctx.moveTo(x, y - size); ctx.lineTo(x + size, y); ctx.lineTo(x, y + size); ctx.lineTo(x - size, y);
    ctx.closePath();
    ctx.stroke();
  }
}
function drawGap(u, before, after) {
  const { ctx, bbox } = u;
  const top = u.valToPos(before + 0.5, "y", true), bottom = u.valToPos(after - 0.5, "y", true);
  ctx.fillStyle = faint("bad", 10);
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  if (bottom - top < 18 * unit) return;
  ctx.fillStyle = colour("ink");
  ctx.font = canvasFont();
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(`${(after - before - 1).toLocaleString("en")} requests not drawn`, bbox.left + bbox.width / 2, (top + bottom) / 2);
}
function drawBrackets(u, brackets, whole) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.font = canvasFont();
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.strokeStyle = ctx.fillStyle = colour("ink");
  brackets.forEach((bracket, i) => {
    const y = bbox.top - (closeUpHeader - 27 - i * 33) * unit;
    const [left, right] = bracket.outer.map((time) => at(u, time));
    ctx.lineWidth = 1.5 * unit;
    stroke(ctx, left, y, right, y);
    const [from, to] = (bracket.inner || []).map((time) => at(u, time));
    if (bracket.inner) ctx.fillRect(from, y - 3 * unit, Math.max(to - from, 2 * unit), 6 * unit);
    const label = whole ? spoken(bracket) : bracket.name;
    const width = ctx.measureText(label).width;
    ctx.fillText(label, clamp(left, bbox.left, Math.max(bbox.left + bbox.width - width, bbox.left)), y - 9 * unit);
    for (const time of bracket.outer) upright(u, time, y, [2, 3]);
    for (const time of whole ? [] : bracket.inner || []) upright(u, time, y, []);
  });
  ctx.restore();
}
function upright(u, time, y, dash) { // an end of a bound, drawn down through the requests
  if (time < u.scales.x.min || time > u.scales.x.max) return;
  const { ctx, bbox } = u;
  const x = at(u, time);
  stroke(ctx, x, y - 5 * unit, x, y + 5 * unit);
  ctx.save();
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = unit;
  ctx.setLineDash(dash.map((length) => length * unit));
  stroke(ctx, x, y + 5 * unit, x, bbox.top + bbox.height);
  ctx.restore();
}
function describe(u, one) {
  if (u.cursor.left < 0) return "";
  const wanted = u.posToVal(u.cursor.top, "y");
  let i = 0;
  one.ordinal.forEach((ordinal, j) => { if (Math.abs(ordinal - wanted) < Math.abs(one.ordinal[i] - wanted)) i = j; });
  const text = (column) => column.texts[column.codes[i]];
  return [
    `Request ${one.ordinal[i]}: due at ${one.due[i].toFixed(4)} s`,
    one.late[i] == null ? "never sent" : `sent ${milliseconds(one.late[i] / 100)} later`,
    one.took[i] == null ? "never answered" : `answered after ${milliseconds(one.took[i] / 100)}`,
    WORDS[one.state[i]],
    one.status[i] ? `status ${one.status[i]}` : "", text(one.name), text(one.served), text(one.error),
  ].filter(Boolean).join(" · ");
}
