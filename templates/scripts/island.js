"use strict";
// The data island and the few ways in which it reaches the page. Every text of the island comes from AWS and is hostile:
// it is written through textContent, and the Trusted Types policy below turns whatever a library writes into text too.
if (window.trustedTypes) {
  trustedTypes.createPolicy("default", {
    createHTML: (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
  });
}

const data = JSON.parse(document.getElementById("island").textContent);
for (const one of data.p) if (one[1] < 0) one[1] = data.s.push(data.s[one[0]].split("/").pop()) - 1;
const byId = (id) => document.getElementById(id);
const str = (n) => plain(data.s[n]);
const many = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
const short = (text, n = 200) => (text.length > n ? `${text.slice(0, n)}… (${text.length} characters)` : text);

/** The text with characters that hide or reorder others spelled out. */
function plain(text) {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff\u{e0000}-\u{e0fff}]/gu,
    (c) => `⟦U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟧`);
}

/** A new element; children are nodes or texts, null and "" are left out. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

function say(text) {
  byId("said").textContent = text;
  setTimeout(() => { byId("said").textContent = ""; }, 2500);
}

/** Offers rows (arrays of texts) as a CSV file, guarded against being read as formulas. */
function download(name, rows) {
  const guard = (text) => (/^(?:[\t\r\n]|[\s\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@＝＋－＠])/.test(text) ? `'${text}` : text);
  const cell = (value) => `"${guard(String(value ?? "")).replaceAll('"', '""')}"`;
  const text = rows.map((row) => row.map(cell).join(",")).join("\r\n");
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  say(`${many(rows.length - 1, "row")} saved`);
}

// ---- access: principal → Map of key → cell, decoded once per distinct row -------------------------------------------
const rowCache = new Map();
function rowOf(principal) {
  const number = data.r[principal];
  let row = rowCache.get(number);
  if (!row) {
    row = new Map();
    const flat = data.R[number];
    for (let i = 0, key = 0; i < flat.length; i += 2) { key += flat[i]; row.set(key, flat[i + 1]); }
    rowCache.set(number, row);
  }
  return row;
}

const cellCache = data.v.map(() => null);
/** What a cell holds: [{cap, action, decision}], one for each capability. */
function held(cell) {
  if (!cellCache[cell]) {
    const list = [], flat = data.v[cell];
    for (let i = 0; i < flat.length; i += 3) list.push({ cap: flat[i], action: flat[i + 1], decision: flat[i + 2] });
    cellCache[cell] = list;
  }
  return cellCache[cell];
}
const find = (cell, cap) => (cell === undefined ? undefined : held(cell).find((item) => item.cap === cap));
const outcomeOf = (item) => data.d[item.decision][0];
const LETTERS = ["A", "C", "?", "B", "B"];
const OUTCOMES = ["allowed", "conditional", "unknown", "blocked", "blocked"];
