/* Buttons and keys, the words below the slider, light and dark; and the first moment. */

const STEPS = [...D.kinds].map((kind, n) => n).filter((n) => D.kinds[n] === "s");

/* The next moment, in a direction, at which something changes. */
function change(direction) {
  let moment = now + direction;
  while (moment > 0 && moment < LAST && D.kinds[moment] === "f") moment += direction;
  show(moment);
}

function step(direction) {
  const found = direction > 0 ? STEPS.find((n) => n > now) : STEPS.findLast((n) => n < now);
  if (found !== undefined) show(found);
}

function line(direction) {
  let number = lineAt(now) + direction;
  while (D.story[number] && momentOf(D.story[number][0]) === now) number += direction;
  show(D.story[number] ? momentOf(D.story[number][0]) : direction > 0 ? LAST : 0);
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

const KEYS = {
  ArrowRight: () => change(1),
  ArrowLeft: () => change(-1),
  PageDown: () => line(1),
  PageUp: () => line(-1),
  Home: () => show(0),
  End: () => show(LAST),
  f: () => step(1),
  F: () => step(-1),
  d: theme,
  "?": () => byId("help").showModal(),
  Escape: forget,
};
Object.keys(TITLES).forEach((name, n) => (KEYS[n + 1] = () => open(name)));

addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  event.preventDefault();
  action();
});
byId("earlier").addEventListener("click", () => change(-1));
byId("later").addEventListener("click", () => change(1));
byId("theme").addEventListener("click", theme);
byId("helped").addEventListener("click", KEYS["?"]);
byId("closed").addEventListener("click", () => byId("help").close());

watchers.unshift((moment) => {
  const at = D.moments[moment], number = lineAt(moment);
  byId("at").textContent = instant(at);
  byId("clock").textContent = clock(at);
  byId("happens").textContent = number < 0 ? "" : D.story[number][2];
});

forget();
timeline.redraw();
show(Math.max(0, momentOf(0) - 1));
open("story");
new ResizeObserver(timeline.redraw).observe(document.body);
