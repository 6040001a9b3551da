/* The texts of a moment, the story, and the causes of what was clicked. */

const pane = byId("pane"), reason = byId("why");
const TITLES = {story: "story", ...D.titles};
const numbers = Object.fromEntries(Object.entries(D.texts).map(([name, changes]) => [name, unfold(changes)]));
let opened = "story";

/* The lines of a text at a moment; joined by newlines they are what `shimulator show` prints. */
function linesOf(name, moment) {
  if (name !== D.eventView) return numbers[name][moment].map((number) => D.lines[number]);
  const many = D.events.filter(([at]) => at <= D.moments[moment]).length;
  return [...D.eventLines.slice(0, many), ""];
}

/* -- the story: every line of it, those to come pale -- */

const story = make("ol", {class: "story"});
const told = D.story.map(([at, until, text, note, chain]) => {
  const words = make("span", {class: "what", text});
  if (note) words.append(make("small", {text: note}));
  const button = make("button", {type: "button"}, make("time", {text: after(at)}), words);
  button.addEventListener("click", () => {
    show(momentOf(at));
    causes([at, chain], text);
  });
  const row = make("li", {}, button);
  story.append(row);
  return row;
});

/* The last line of the story that has begun; -1 before the first one. */
function lineAt(moment) {
  let found = -1;
  D.story.forEach(([at], number) => {
    if (at <= D.moments[moment]) found = number;
  });
  return found;
}

function follow(moment) {
  const line = lineAt(moment);
  told.forEach((row, number) => {
    row.classList.toggle("later", number > line);
    row.classList.toggle("current", number === line);
  });
  const row = told[Math.max(line, 0)];
  if (row) pane.scrollTop = Math.max(0, row.offsetTop - pane.clientHeight * 0.6);
}

/* -- texts: what was not there at the moment before is marked -- */

function text(name, moment, before) {
  const old = before < 0 ? null : new Set(linesOf(name, before)), block = make("pre");
  const lines = linesOf(name, moment);
  lines.forEach((line, number) => {
    const row = make("span", {text: line});
    if (old && line && !old.has(line)) row.className = "fresh";
    const event = name === D.eventView && D.events[number];
    if (event && line) {
      row.setAttribute("role", "button");
      row.tabIndex = 0;
      row.addEventListener("click", () => causes(event, TITLES[name]));
    }
    block.append(row, number < lines.length - 1 ? "\n" : "");
  });
  const {scrollTop, scrollLeft} = pane;
  pane.replaceChildren(block);
  pane.scrollTop = name === D.eventView ? pane.scrollHeight : scrollTop;
  pane.scrollLeft = scrollLeft;
}

function refresh(moment, before) {
  if (opened === "story") follow(moment);
  else text(opened, moment, before);
}

const tabs = Object.keys(TITLES).map((name) => {
  const tab = make("button", {type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "pane", text: TITLES[name]});
  tab.addEventListener("click", () => open(name));
  byId("tabs").append(tab);
  return tab;
});

function open(name) {
  opened = name;
  for (const tab of tabs) tab.setAttribute("aria-selected", tab.id === `tab-${name}`);
  pane.setAttribute("aria-labelledby", `tab-${name}`);
  pane.scrollTop = pane.scrollLeft = 0;
  if (name === "story") pane.replaceChildren(story);
  refresh(now, -1);
}

/* -- causes -- */

/* Say why: a row [at, number of the chain], nearest cause first; the first link is the fact itself. */
function causes(row, about) {
  const chain = row && row[1] >= 0 ? D.chains[row[1]] : [];
  const close = make("button", {type: "button", class: "close", "aria-label": "close", text: "×"});
  close.addEventListener("click", forget);
  const list = make("ol");
  for (const number of chain) {
    if (number < 0) {
      list.append(make("li", {class: "gap", text: `⋯ ${-number} causes between ⋯`}));
      continue;
    }
    const [at, words] = D.links[number];
    const button = make("button", {type: "button"}, make("span", {text: words}), make("time", {text: at === null ? "" : after(at)}));
    if (at !== null) button.addEventListener("click", () => show(momentOf(at)));
    list.append(make("li", {}, button));
  }
  const title = make("h2", {}, "Why: ", make("span", {text: about}));
  if (!chain.length) list.append(make("li", {class: "gap", text: "Nothing that the trace tells made it so."}));
  reason.replaceChildren(close, title, list);
  reason.classList.add("told");
}

function forget() {
  reason.classList.remove("told");
  reason.replaceChildren(make("p", {text: "Click a bar, a process or a line to see what caused it."}));
}

/* A lane was clicked: mark its processes, say why the daemon is up or down, or why the engine has the container so. */
function pick(name, daemon) {
  tree.highlight(name, daemon);
  causes(latest((daemon ? D.daemons : D.containers)[name], D.moments[now]), name);
}

watch(refresh);
