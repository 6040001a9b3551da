/* The timeline: bars of daemons and containers, strips of open ports, steps; its cursor, and the slider below it. */

const timeline = (() => {
  const lanes = byId("lanes"), axis = byId("axis"), slider = byId("slider"), cursor = byId("cursor");
  const daemons = D.lanes.filter((lane) => lane.kind === "daemon"), containers = D.lanes.slice(daemons.length);
  const ruler = document.createElement("canvas").getContext("2d");
  const SEAM = 8, CUT = 26, GROUP = 7, ABOVE = 16, LEAST = 13, MOST = 19;
  let left = 0, room = 1, pieces = [], size = {};

  function widthOf(text, points) {
    ruler.font = `${points}px system-ui, sans-serif`;
    return ruler.measureText(text).width;
  }

  /* Where each piece of the time axis stands, in pixels from the first one's start. */
  function place(width) {
    const seams = D.axis.pieces.map((piece, n) => (n ? (piece.cut ? CUT : SEAM) : 0));
    const free = width - seams.reduce((a, b) => a + b, 0);
    let x = 0;
    pieces = D.axis.pieces.map((piece, n) => {
      const from = x + seams[n];
      x = from + piece.share * free;
      return {...piece, from, to: x};
    });
  }

  function xOf(at) {
    for (const p of pieces) {
      if (at < p.start) return p.from;
      if (at <= p.end) return p.from + ((at - p.start) / (p.end - p.start)) * (p.to - p.from);
    }
    return pieces[pieces.length - 1].to;
  }

  function nearest(x) {
    let best = 0;
    for (let m = 1; m <= LAST; m++)
      if (Math.abs(xOf(D.moments[m]) - x) < Math.abs(xOf(D.moments[best]) - x)) best = m;
    return best;
  }

  /* A stretch of time as pixels within each piece that shows some of it. */
  function* stretches(start, end) {
    for (const p of pieces) {
      const a = Math.max(start, p.start), b = Math.min(end, p.end);
      if (a < b) yield [xOf2(p, a), xOf2(p, b), p];
    }
  }
  const xOf2 = (p, at) => p.from + ((at - p.start) / (p.end - p.start)) * (p.to - p.from);

  function note(group, [start, end, right, texts], y, on) {
    for (const [a, b, p] of stretches(start, end)) {
      if (right ? end > p.end : start < p.start) continue;
      const words = texts.find((text) => widthOf(text, size.note) + 8 <= b - a);
      if (!words) continue;
      group.append(draw("text", {
        x: right ? b - 4 : a + 4, y, class: `note ${on}`, "text-anchor": right ? "end" : "start",
        text: words,
      }));
      return;
    }
  }

  /* Strokes tell looks apart where colours do not: each look that has some is filled with a pattern of them. */
  const STROKES = {"/": "M-1 5L5 -1M2 8L8 2", "\\": "M1 -1L7 5M-2 2L4 8", "|": "M3 0V6", "-": "M0 3H6", x: "M0 0L6 6M6 0L0 6", ".": "M2 3H3"};
  const patterns = draw("defs");
  for (const [look, [hatch]] of Object.entries(D.looks)) if (hatch)
    patterns.append(draw("pattern", {id: `hatch-${look}`, width: 6, height: 6, patternUnits: "userSpaceOnUse", class: `look-${look}`},
      draw("rect", {width: 6, height: 6, class: "bar"}), draw("path", {d: STROKES[hatch[0]], class: "stroke"})));

  function bar(group, [start, end, look], y) {
    const [hatch, rail] = D.looks[look], high = rail ? 2.5 : size.bar;
    const top = rail > 0 ? y + size.bar / 2 : rail < 0 ? y - size.bar / 2 - high : y - high / 2;
    for (const [a, b] of stretches(start, end))
      group.append(draw("rect", {
        x: a, y: top, width: Math.max(b - a, 0.5), height: high,
        class: hatch ? "hatched" : `bar look-${look}`, fill: hatch ? `url(#hatch-${look})` : null,
      }));
  }

  function bars(group, lane, y) {
    for (const row of [...lane.bars, ...lane.spells]) bar(group, row, y);
    for (const at of lane.ticks)
      for (const [a] of stretches(at, at + 1))
        group.append(draw("rect", {x: a, y: y - size.bar / 2, width: 1.5, height: size.bar, class: "tick"}));
    if (size.note) for (const words of lane.notes) {
      const on = [...lane.spells, ...lane.bars].find(([start, end, look]) => start <= words[0] && words[0] < end && !D.looks[look][1]);
      note(group, words, y, on ? `look-${on[2]}` : "");
    }
  }

  function strip(group, row, y) {
    const foot = y + size.bar / 2;
    for (const p of pieces) group.append(draw("rect", {x: p.from, y: foot, width: p.to - p.from, height: 0.7, class: "foot"}));
    for (const [start, end, count] of row.steps) {
      const tall = ((size.bar + 2) * count) / Math.max(row.total, 1);
      if (tall) for (const [a, b] of stretches(start, end))
        group.append(draw("rect", {x: a, y: foot - tall, width: Math.max(b - a, 0.5), height: tall, class: "bar"}));
    }
    if (size.note) for (const words of row.notes) {
      const step = row.steps.find(([start, end]) => start <= words[0] && words[0] < end);
      note(group, words, y, step && step[2] > row.total / 2 ? "inside" : "");
    }
  }

  function shorten(text, most) {
    return text.length <= most ? text : text.slice(0, most - 1) + "…";
  }

  /* Draw everything for a width. */
  function redraw() {
    const wide = lanes.clientWidth, narrow = wide < 800, tall = innerHeight * 0.36;
    const number = D.lanes.length + D.strips.length, fitting = Math.floor((tall - ABOVE - 3 * GROUP) / number);
    const many = fitting < LEAST; /* too many to be seen at once: those that tell most stand above the others */
    const rows = many ? [...daemons, ...D.strips, ...containers] : [...daemons, ...containers, ...D.strips];
    const pitch = Math.max(LEAST - 1, Math.min(MOST, fitting));
    size = {pitch, bar: Math.round(pitch * 0.63), text: Math.min(12, pitch * 0.8), note: pitch > 14 ? 9.5 : 0};
    left = Math.min(narrow ? 90 : 160, 14 + Math.max(...rows.map((row) => widthOf(nameOf(row), size.text))));
    const right = narrow ? 8 : 14 + Math.min(150, Math.max(...rows.map((row) => widthOf(row.outcome, size.text))));
    room = wide - left - right;
    place(room);
    const plot = draw("g", {transform: `translate(${left} 0)`});
    const top = D.marks.some(([at]) => at) ? ABOVE : 4;
    let y = top, kind = rows[0].kind;
    const drawn = [];
    for (const row of rows) {
      if (row.kind !== kind) y += GROUP;
      kind = row.kind;
      const middle = y + size.pitch / 2;
      const group = draw("g", {class: `lane ${kind}${kind === "strip" ? ` look-${row.name}` : ""}`, "data-name": row.name});
      group.append(draw("rect", {x: -left, y, width: wide, height: size.pitch, class: "ground"}));
      group.append(draw("text", {x: -8, y: middle, class: "name", "text-anchor": "end", text: shorten(nameOf(row), 22)}));
      if (!narrow) group.append(draw("text", {x: room + 8, y: middle, class: "outcome", text: shorten(row.outcome, 28)}));
      (row.kind === "strip" ? strip : bars)(group, row, middle);
      drawn.push(group);
      y += size.pitch;
    }
    const high = y + 2;
    grid(plot, high, top, Math.min(high, tall));
    plot.append(patterns, ...drawn);
    steps(plot, high, top);
    const picture = draw("svg", {width: wide, height: high, role: "img", "aria-label": "lanes of the timeline"}, plot);
    picture.style.setProperty("--text", `${size.text}px`);
    cursor.style.height = `${high}px`;
    lanes.replaceChildren(picture, cursor);
    axis.replaceChildren(ticks(wide));
    slider.style.marginLeft = `${left - 8}px`;
    slider.style.width = `${room + 16}px`;
    follow();
  }

  const nameOf = (row) => (row.kind === "strip" ? `${row.name} open` : row.name);

  function grid(plot, high, top, seen) {
    pieces.forEach((p, n) => {
      for (const [at] of p.ticks) plot.append(draw("rect", {x: xOf2(p, at), y: top, width: 0.7, height: high - top, class: "grid"}));
      if (!n) return;
      const words = seen < 150 ? "⋯" : `⋯ ${p.cut} without change ⋯`;
      if (p.cut) plot.append(draw("text", {transform: `translate(${p.from - CUT / 2} ${seen / 2}) rotate(-90)`, class: "cut", text: words}));
      else plot.append(draw("line", {x1: p.from, x2: p.from, y1: top, y2: high, class: "seam"}));
    });
  }

  function steps(plot, high, top) {
    let taken = -Infinity;
    for (const [at, text] of D.marks) {
      const x = xOf(at);
      plot.append(draw("rect", {x: x - 0.8, y: top - 2, width: at ? 1 : 1.6, height: high - top, class: at ? "step" : "step fault"}));
      if (!at || x < taken) continue;
      plot.append(draw("text", {x: x + 3, y: 8, class: "mark", text}));
      taken = x + widthOf(text, 10) + 8;
    }
  }

  function ticks(wide) {
    const plot = draw("g", {transform: `translate(${left} 0)`});
    let taken = -Infinity, titled = -Infinity;
    pieces.forEach((p, n) => {
      plot.append(draw("rect", {x: p.from, y: 0, width: p.to - p.from, height: 0.8, class: "rule"}));
      for (const [at, text] of p.ticks) {
        const x = xOf2(p, at), half = widthOf(text, 11) / 2;
        if (x - half < taken || x + half > room + 40) continue;
        plot.append(draw("text", {x, y: 14, "text-anchor": "middle", text}));
        taken = x + half + 8;
      }
      const title = D.axis.titles[n];
      if (!title || p.from < titled || (n && p.from + widthOf(title, 11) > room + 40)) return;
      plot.append(draw("text", {x: p.from, y: 29, class: "title", text: title}));
      titled = p.from + widthOf(title, 11) + 8;
    });
    return draw("svg", {width: wide, height: 37, "aria-hidden": "true"}, plot);
  }

  /* Put cursor and slider at the moment that is shown. */
  function follow() {
    if (now < 0) return;
    const x = xOf(D.moments[now]);
    cursor.style.left = `${left + x}px`;
    slider.value = x / room;
    slider.setAttribute("aria-valuetext", `${instant(D.moments[now])} ${byId("happens").textContent}`);
  }

  /* Press and move: the time under the pointer; press on a lane: why it is as it is then. */
  lanes.addEventListener("pointerdown", (event) => {
    if (event.button || event.offsetX > lanes.clientWidth) return;
    const point = (e) => show(nearest(e.clientX - lanes.getBoundingClientRect().left - left));
    const lane = event.target.closest(".lane:not(.strip)");
    point(event);
    if (lane) pick(lane.dataset.name, lane.classList.contains("daemon"));
    const ended = new AbortController(), {signal} = ended;
    addEventListener("pointermove", point, {signal});
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => ended.abort(), {signal});
  });
  slider.addEventListener("input", () => {
    show(nearest(slider.value * room));
    follow();
  });
  watch(follow);
  return {redraw};
})();
