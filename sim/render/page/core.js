"use strict";
/* What every part needs: the page's data, the moment that is shown, making elements, naming times.

A moment is a number of D.moments; times are µs from the timeline's moment 0. The parts call each other through
`watch` alone. The files of this folder are one script, in the order that sim/render/report.py names. */

const D = JSON.parse(document.getElementById("data").textContent);
const LAST = D.moments.length - 1;

const byId = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)");

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const make = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
const draw = (name, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

/* -- the moment that is shown -- */

const watchers = [];
let now = -1;

const watch = (watcher) => watchers.push(watcher);

function show(moment) {
  const chosen = Math.max(0, Math.min(LAST, moment));
  if (chosen === now) return;
  const before = now;
  now = chosen;
  for (const watcher of watchers) watcher(now, before);
}

/* The first moment at which something that happened at a time is seen. */
function momentOf(at) {
  let low = 0, high = LAST;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (D.moments[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* The last of [[at, …], …] that is not after a time; null if there is none. */
function latest(rows, at) {
  let found = null;
  for (const row of rows || []) {
    if (row[0] > at) break;
    found = row;
  }
  return found;
}

/* Lists that change: one list of numbers for each moment; moments between two changes share theirs. */
function unfold(changes) {
  const lists = [];
  let list = [], next = 0;
  for (let moment = 0; moment <= LAST; moment++) {
    for (; next < changes.length && changes[next][0] === moment; next++) {
      const [, start, gone, come] = changes[next];
      list = [...list.slice(0, start), ...come, ...list.slice(start + gone)];
    }
    lists.push(list);
  }
  return lists;
}

/* -- words for times -- */

const seconds = (us) => (us / 1e6).toFixed(6).replace(/\.?0+$/, "");

/* As --at takes it. */
function instant(at) {
  const from = D.base ? at : at + D.origin;
  if (D.base && !from) return D.base;
  return `${D.base}${from < 0 ? "-" : D.base ? "+" : ""}${seconds(Math.abs(from))}s`;
}

/* For people: seconds near moment 0, else hours. */
function after(at) {
  const sign = at < 0 ? "−" : "+", us = Math.abs(at);
  if (us < 600e6) return `${sign}${(us / 1e6).toFixed(us < 100e6 ? 3 : 1)} s`;
  const whole = Math.floor(us / 1e6), two = (n) => String(n % 60).padStart(2, "0");
  const days = Math.floor(whole / 86400);
  return `${sign}${days ? `${days} d ` : ""}${Math.floor(whole / 3600) % 24}:${two(Math.floor(whole / 60))}:${two(whole)}`;
}

/* By the clock on the wall, if the scenario sets one. */
function clock(at) {
  const [epoch, zone, known] = D.clock;
  if (!known) return "";
  const date = new Date(epoch * 1000 + Math.floor((at + D.origin) / 1000) + zone * 60000);
  return date.toISOString().slice(0, -1).replace("T", " ");
}
