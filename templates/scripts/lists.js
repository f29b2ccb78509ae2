"use strict";
// Rows of the lists of keys and principals that the page itself has no room for, built from the island.
const number = (n) => (n < 0 ? "" : String(n));
const td = (text, attributes = {}) => make("td", attributes, text);
const th = (kind, place, name) => make("th", { scope: "row" }, make("a", { href: `#${kind}-${place}` }, short(name, 60)));

/** Key → for each capability how many principals are allowed, conditional, unknown. */
function holders() {
  const sizes = new Map(), counts = data.k.map(() => data.caps.map(() => [0, 0, 0]));
  data.r.forEach((row, p) => { const one = sizes.get(row) ?? { p, n: 0 }; one.n += 1; sizes.set(row, one); });
  for (const { p, n } of sizes.values()) for (const [k, cell] of rowOf(p)) for (const item of held(cell)) {
    const outcome = outcomeOf(item);
    if (outcome < 3) counts[k][item.cap][outcome] += n;
  }
  return counts;
}
function countCell([allowed, conditional, unknown]) {
  const total = allowed + conditional + unknown;
  return make("td", { class: "num", "data-order": total, "data-search": `${allowed} + ${conditional} + ${unknown}` }, total ? make("span", { class: "c-allowed" }, String(allowed)) : make("span", { class: "muted" }, "–"),
    conditional ? make("span", { class: "c-conditional" }, ` + ${conditional}`) : "", unknown ? make("span", { class: "c-unknown" }, ` + ${unknown}?`) : "");
}
function matrixRows() {
  const first = byId("matrix").tBodies[0].rows.length;
  if (first >= data.k.length) return [];
  return holders().slice(first).map((counts, i) => {
    const key = data.k[first + i];
    return make("tr", {}, th("key", first + i, str(key[1])), td(str(key[2])), td(str(key[3])), ...counts.map(countCell));
  });
}
function keyRows() {
  const first = byId("key-index").tBodies[0].rows.length;
  return data.k.slice(first).map((key, i) => make("tr", {}, th("key", first + i, str(key[1])), td(str(key[2])), td(str(key[3])), td(str(key[4])),
    td(str(key[5])), td(str(key[6])), td(number(key[8]) || "not read", { class: "num", "data-order": key[8] }), td(number(key[9]), { class: "num" })));
}
/** How many keys a principal has something of that is not blocked. */
const usable = (p) => [...rowOf(p).values()].filter((cell) => held(cell).some((item) => outcomeOf(item) < 3)).length;
function principalRows() {
  const here = new Set([...byId("principal-index").tBodies[0].rows].map((row) => row.dataset.place));
  return data.p.flatMap((one, p) => (here.has(String(p)) ? [] : [make("tr", { "data-place": p }, th("principal", p, str(one[1])), td(str(one[2]).replace(/-/g, " ")),
    td(str(one[3])), td(String(usable(p)), { class: "num" }), td(number(one[5]), { class: "num" }), td(number(one[6]), { class: "num" }), td(String(one[7]), { class: "num" }))]));
}
