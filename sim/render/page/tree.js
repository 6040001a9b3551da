/* The process tree, from left to right as pstree has it: a process stands in the row of its first child. */

const tree = (() => {
  const drawing = byId("drawing");
  const ROW = 26, HIGH = 20, GAP = 26, PAD = 8, TIME = 260, LEAST = 0.88;
  const PID = 0, PARENT = 1, ROLE = 2, CONTAINER = 3, COMM = 4, THREADS = 5, STATE = 6, ORPHAN = 7;
  const lists = unfold(D.tree);
  const looks = new Map(D.lanes.filter((lane) => lane.kind === "container").map((lane) => [
    lane.name, [...lane.spells.filter(([, , look]) => !D.looks[look][1]), ...lane.bars],
  ]));
  const nodes = new Map();
  const lines = draw("g", {class: "links"}), boxes = draw("g", {class: "nodes"});
  const picture = draw("svg", {}, lines, boxes);
  drawing.append(picture);
  const ruler = document.createElement("canvas").getContext("2d");
  ruler.font = getComputedStyle(drawing).font;
  const LETTER = ruler.measureText("0").width;
  let chosen = 0, running = 0, size = [1, 1];

  /* What kind of process it is: of D.roles, role -> [kind, whether it ends with its errand]. */
  const kind = (box) => (D.roles[box[ROLE]] || [""])[0];
  const words = (box) => {
    const named = ["holder", "forwarder", "execed"].includes(kind(box));
    const name = named || ["daemon", "guest"].includes(kind(box)) ? box[ROLE] : box[COMM];
    return [name, box[CONTAINER] && (named || box[ORPHAN]) ? ` ${box[CONTAINER]}` : "", ` ${box[PID]}`];
  };
  const cut = (text) => (text.length > 30 ? text.slice(0, 29) + "…" : text);
  const wide = (box) => words(box).reduce((sum, text) => sum + cut(text).length, 0) * LETTER + 2 * PAD + 3;

  /* Where each process stands at a moment: its row, and how far to the right. Children of brothers stand below each
     other, beyond the widest of those that have any. */
  function layout(list) {
    const found = new Map(), top = [];
    for (const number of list) {
      const box = D.boxes[number], parent = found.get(box[PARENT]), place = {box, children: []};
      found.set(box[PID], place);
      (parent ? parent.children : top).push(place);
    }
    let row = 0;
    const stand = (places, left) => {
      const parents = places.filter((place) => place.children.length);
      const right = left + Math.max(0, ...parents.map((place) => wide(place.box))) + GAP;
      places.forEach((place, n) => {
        if (n) row++;
        Object.assign(place, {row, left});
        stand(place.children, right);
      });
    };
    stand(top, 2);
    return found;
  }

  const extent = (places) => Math.max(...[...places.values()].map(({box, left}) => left + wide(box))) + 4;
  const widest = Math.max(...[...new Set(lists)].map((list) => extent(layout(list))));

  /* What a container's lane shows at a time is the look of its processes. */
  function look(box, at) {
    const bars = looks.get(box[CONTAINER]);
    const own = ["holder", "payload", "member"].includes(kind(box)) && !D.roles[box[ROLE]][1];
    if (!bars || !own) return kind(box) === "forwarder" ? "forwarder" : "plain";
    const bar = bars.find(([start, end]) => start <= at && at < end) || bars.find(([, end]) => end === at);
    return bar ? `look-${bar[2]}` : "plain";
  }

  function node() {
    const made = draw("g", {role: "button"}, draw("rect", {height: HIGH, rx: 3}), draw("rect", {width: 3.5, height: HIGH, class: "edge"}),
      draw("text", {x: PAD + 3, y: HIGH / 2}), draw("title"));
    boxes.append(made);
    const line = draw("path");
    lines.append(line);
    return {made, line, x: null};
  }

  function dress(entry, box, at, change) {
    const [name, container, pid] = words(box);
    const dead = box[STATE] === "Z", stopped = box[STATE] === "T" || box[STATE] === "D";
    const [rect, edge, text, title] = entry.made.children;
    entry.made.setAttribute("class", `node ${look(box, at)} ${box[ROLE] || "other"}${change ? ` ${change}` : ""}${dead ? " dead" : ""}`);
    rect.setAttribute("width", wide(box));
    text.replaceChildren(cut(name), draw("tspan", {class: "of", text: cut(container)}), draw("tspan", {class: "pid", text: pid}));
    const says = [`${box[COMM]} ${box[PID]}`, box[CONTAINER] && `${box[ROLE]} of ${box[CONTAINER]}`, `parent ${box[PARENT]}`,
      box[THREADS] && `${box[THREADS]} threads`, dead && "zombie", stopped && "stopped", change].filter(Boolean);
    title.textContent = says.join(" · ");
    entry.made.dataset.pid = box[PID];
    entry.made.dataset.parent = box[PARENT];
    edge.setAttribute("class", stopped ? "edge stopped" : "edge");
  }

  /* Show the tree of a moment; what is new or has another parent since the one before is marked. */
  function update(moment, before) {
    const at = D.moments[moment], places = layout(lists[moment]);
    const old = new Map(before < 0 ? [] : lists[before].map((number) => [D.boxes[number][PID], D.boxes[number]]));
    for (const [pid, entry] of nodes) if (!places.has(pid)) {
      entry.made.remove();
      entry.line.remove();
      nodes.delete(pid);
    }
    let orphans = 0, low = 0;
    for (const [pid, {box, left, row}] of places) {
      const was = old.get(pid);
      const change = before < 0 ? "" : !was ? "new" : was[PARENT] !== box[PARENT] ? "moved" : "";
      if (!nodes.has(pid)) nodes.set(pid, node());
      const entry = nodes.get(pid), parent = places.get(box[PARENT]);
      dress(entry, box, at, change);
      entry.to = [left, row * ROW + 3];
      entry.parent = parent ? box[PARENT] : 0;
      if (entry.x === null) [entry.x, entry.y] = entry.to;
      entry.from = [entry.x, entry.y];
      orphans += box[ORPHAN];
      low = Math.max(low, row);
    }
    for (const {box} of places.values()) boxes.append(nodes.get(box[PID]).made); /* in the order of the tree */
    size = [extent(places), (low + 1) * ROW + 4];
    fit();
    drawing.setAttribute("aria-label", `process tree: ${places.size} processes, ${orphans} under PID 1 that lost their parent`);
    choose(chosen);
    glide();
  }

  /* A tree that is a little too wide at some moment is drawn smaller at all of them. */
  function fit() {
    const scale = Math.min(1, Math.max(LEAST, drawing.clientWidth / widest)), [width, height] = size;
    fill(picture, {width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}`}, []);
  }

  function glide() {
    cancelAnimationFrame(running);
    const begun = performance.now(), time = still.matches ? 0 : TIME;
    const frame = (moment) => {
      const part = time ? Math.min(1, Math.max(0, (moment - begun) / time)) : 1, eased = 1 - (1 - part) ** 3;
      for (const entry of nodes.values()) {
        entry.x = entry.from[0] + (entry.to[0] - entry.from[0]) * eased;
        entry.y = entry.from[1] + (entry.to[1] - entry.from[1]) * eased;
        entry.made.setAttribute("transform", `translate(${entry.x} ${entry.y})`);
      }
      for (const entry of nodes.values()) entry.line.setAttribute("d", path(entry, nodes.get(entry.parent)));
      if (part < 1) running = requestAnimationFrame(frame);
    };
    frame(begun);
    if (time) running = requestAnimationFrame(frame);
  }

  function path(entry, parent) {
    if (!parent) return "";
    const x = parent.x + Number(parent.made.firstChild.getAttribute("width")), y = parent.y + HIGH / 2;
    const turn = entry.x - GAP / 2, low = entry.y + HIGH / 2;
    return Math.abs(low - y) < 1 ? `M${x} ${y}H${entry.x}` : `M${x} ${y}H${turn}V${low}H${entry.x}`;
  }

  /* -- asking why -- */

  function choose(pid) {
    chosen = pid;
    for (const [number, entry] of nodes) entry.made.classList.toggle("chosen", number === pid);
  }

  function ask(pid) {
    const box = D.boxes[lists[now].find((number) => D.boxes[number][PID] === pid)];
    if (!box) return;
    choose(pid);
    causes(latest(D.processes[pid], D.moments[now]), words(box).join(""));
  }

  boxes.addEventListener("click", (event) => {
    const made = event.target.closest(".node");
    if (made) ask(Number(made.dataset.pid));
  });
  drawing.addEventListener("keydown", (event) => {
    const pids = lists[now].map((number) => D.boxes[number][PID]);
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step) choose(pids[Math.max(0, Math.min(pids.length - 1, pids.indexOf(chosen) + step))]);
    else if (event.key === "Enter" && chosen) ask(chosen);
    else return;
    event.preventDefault();
    const entry = nodes.get(chosen);
    if (entry) entry.made.scrollIntoView({block: "nearest"});
  });
  watch(update);
  new ResizeObserver(fit).observe(drawing);

  return {
    highlight(name, daemon) {
      for (const [pid, entry] of nodes) {
        const box = D.boxes[lists[now].find((number) => D.boxes[number][PID] === pid)];
        entry.made.classList.toggle("chosen", box[daemon ? ROLE : CONTAINER] === name);
      }
    },
  };
})();
