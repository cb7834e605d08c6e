/* The figures of a run under way, as the server sends them. Texts are set as texts, never as markup. */
(() => {
  "use strict";
  const live = document.getElementById("live");
  const state = document.getElementById("state");
  const journal = document.getElementById("happenings");
  const rate = (value) => `${value < 10 ? +value.toPrecision(3) : Math.round(value).toLocaleString("en")}/s`;
  const read = {
    at_s: (value) => `${value.toFixed(0)} s`,
    offered_per_s: rate,
    achieved_per_s: rate,
    good: (value) => value.toLocaleString("en"),
    bad: (value) => value.toLocaleString("en"),
    recent_bad: (value) => `${+(100 * value).toPrecision(3)} %`,
    p95_ms: (value) => `${Math.round(value).toLocaleString("en")} ms`,
  };
  const sentence = (text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
  const say = (text) => { if (state.textContent !== text) state.textContent = text; };
  const tell = (one) => {
    const item = document.createElement("li");
    const time = item.appendChild(document.createElement("time"));
    time.textContent = one.wall.replace("T", " ").slice(0, 19) + " UTC";
    const event = document.createElement("b");
    event.textContent = one.event;
    item.append(" ", event, " ", one.details);
    return item;
  };
  const events = new EventSource(live.dataset.events);
  events.addEventListener("figures", (message) => {
    const told = JSON.parse(message.data);
    say(told.conducted ? "Under way. Rates, and what is called now, are of the last two seconds." : sentence(told.keeper));
    for (const place of document.querySelectorAll("[data-figure]")) {
      const value = told.figures && told.figures[place.dataset.figure];
      place.textContent = value == null ? "–" : read[place.dataset.figure](value);
    }
    if (told.happenings.length) journal.replaceChildren(...told.happenings.map(tell));
  });
  events.addEventListener("over", () => {
    events.close();
    const link = document.createElement("a");
    link.href = live.dataset.over;
    link.textContent = "See how it went";
    state.replaceChildren("The run is over. ", link);
  });
  events.addEventListener("trouble", (message) => say(JSON.parse(message.data)));
  events.addEventListener("error", () => say("The server cannot be heard; trying again."));
})();
