"use strict";
// Principals × keys: rows with equal access are folded, letters and shades tell the outcomes apart.
const ROWS_AT_ONCE = 60, KEYS_AT_ONCE = 60;
let heatLimits = { rows: ROWS_AT_ONCE, keys: KEYS_AT_ONCE };
const cellOutcomes = data.caps.map(() => null);
/** Cell → its outcome (0 to 3) for a capability, -1 for none; worked out once. */
function outcomesFor(cap) {
  cellOutcomes[cap] ??= Int8Array.from(data.v, (flat) => {
    for (let i = 0; i < flat.length; i += 3) if (flat[i] === cap) return Math.min(data.d[flat[i + 2]][0], 3);
    return -1;
  });
  return cellOutcomes[cap];
}

function heatState() {
  const e = byId("heat-filters").elements;
  return { cap: Number(e.cap.value), account: e.account.value, region: e.region.value, outcome: e.outcome.value,
    q: e.q.value.trim().toLowerCase(), external: e.external.checked };
}
function keysFor(state) {
  const keys = new Set();
  data.k.forEach((key, k) => {
    if ((!state.account || data.s[key[2]] === state.account) && (!state.region || data.s[key[3]] === state.region)) keys.add(k);
  });
  return keys;
}
/** {groups: [{members, cells: [key × 4 + outcome]}], keys} for the filters; principals with equal cells are one group. */
function heatRows(state) {
  const keys = keysFor(state);
  const matches = (record) => data.s[record[0]].toLowerCase().includes(state.q) || data.s[record[1]].toLowerCase().includes(state.q);
  const hitKeys = state.q ? new Set([...keys].filter((k) => matches(data.k[k]))) : null;
  const groups = new Map(), used = new Set(), outcomes = outcomesFor(state.cap), wanted = state.outcome === "" ? -1 : Number(state.outcome);
  data.p.forEach((record, p) => {
    if (state.external && !record[4]) return;
    const mine = !state.q || matches(record);
    if (!mine && !hitKeys.size) return;
    const cells = [];
    for (const [k, cell] of rowOf(p)) {
      const outcome = outcomes[cell];
      if (outcome < 0 || (wanted >= 0 && outcome !== wanted) || !keys.has(k) || (!mine && !hitKeys.has(k))) continue;
      cells.push(k * 4 + outcome);
    }
    if (!cells.length) return;
    const signature = cells.join();
    const group = groups.get(signature);
    if (group) group.members.push(p); else groups.set(signature, { members: [p], cells });
    for (const cell of cells) used.add(cell >> 2);
  });
  return { groups: [...groups.values()], keys: [...used].sort((a, b) => a - b) };
}
function drawHeat() {
  const state = heatState();
  const { groups, keys } = heatRows(state);
  const columns = keys.slice(0, heatLimits.keys), rows = groups.slice(0, heatLimits.rows);
  const total = groups.reduce((sum, group) => sum + group.members.length, 0);
  byId("heat-note").textContent = `${many(total, "principal")} in ${many(groups.length, "row")} of equal access, ${many(keys.length, "key")}.`
    + (columns.length < keys.length || rows.length < groups.length
      ? ` Shown: ${many(rows.length, "row")} and ${many(columns.length, "key")}; narrow the filters, show more, or take the CSV for all.` : "");
  byId("more-rows").hidden = rows.length === groups.length;
  byId("more-keys").hidden = columns.length === keys.length;
  const head = make("tr", {}, make("th", { scope: "row" }, "Principal"),
    ...columns.map((k) => make("th", { scope: "col" }, make("a", { href: `#key-${k}`, title: short(str(data.k[k][0])) }, short(str(data.k[k][1]), 40)))));
  const body = rows.map((group) => {
    const outcomes = new Map(group.cells.map((cell) => [cell >> 2, cell & 3]));
    return make("tr", {}, heatName(group.members), ...columns.map((k) => heatCell(group.members[0], k, outcomes.get(k))));
  });
  byId("heat").replaceChildren(rows.length ? make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))
    : make("p", {}, "No principal matches."));
  byId("heat").querySelector("button.cell")?.setAttribute("tabindex", "0");
}
function showMore(what, step) {
  heatLimits[what] += step;
  drawHeat();
}
byId("more-rows").addEventListener("click", () => showMore("rows", ROWS_AT_ONCE));
byId("more-keys").addEventListener("click", () => showMore("keys", KEYS_AT_ONCE));
function heatName(members) {
  const first = members[0];
  const title = str(data.p[first][1]), account = str(data.p[first][3]);
  const link = make("a", { href: `#principal-${first}`, title: short(str(data.p[first][0])) }, short(title, 90));
  // A role of the same name stands in many accounts; the id tells them apart on the same line.
  const name = make("span", { class: "named" }, link, account && !title.includes(account) ? make("small", { class: "account" }, account) : "");
  if (members.length === 1) return make("th", { scope: "row" }, name);
  const rest = members.slice(1, 200).map((p) => make("li", {}, make("a", { href: `#principal-${p}` }, short(str(data.p[p][0]), 120))));
  return make("th", { scope: "row" }, name, make("details", {}, make("summary", { class: "muted" }, `and ${members.length - 1} with equal access`), make("ul", {}, ...rest)));
}
function heatCell(p, key, outcome) {
  const td = document.createElement("td");
  if (outcome === undefined) return td;
  const label = `${str(data.p[p][1])}, ${str(data.k[key][1])}: ${OUTCOMES[outcome]}`;
  td.append(make("button", { type: "button", class: `cell h${outcome}`, tabindex: "-1", title: short(label), "aria-label": short(label),
    "data-pk": `${p}.${key}` }, LETTERS[outcome]));
  return td;
}
byId("heat").addEventListener("click", (event) => {
  const cell = event.target.closest("button.cell");
  if (cell) showWhy(...cell.dataset.pk.split(".").map(Number), heatState().cap);
});
// One cell is in the tab order; the arrow keys move from cell to cell.
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
byId("heat").addEventListener("keydown", (event) => {
  const step = STEPS[event.key], from = event.target.closest("button.cell");
  if (!step || !from) return;
  event.preventDefault();
  const body = from.closest("tbody");
  let row = from.closest("tr").sectionRowIndex, column = from.closest("td").cellIndex;
  for (;;) {
    row += step[0]; column += step[1];
    const cell = body.rows[row]?.cells[column];
    if (!cell || column === 0) return;
    const next = cell.querySelector("button.cell");
    if (next) { from.setAttribute("tabindex", "-1"); next.setAttribute("tabindex", "0"); next.focus(); return; }
  }
});
function accessCsv() {
  const state = heatState();
  const lines = [["principal", "key", "capability", "outcome", "condition", "reason"]];
  for (const group of heatRows(state).groups) for (const p of group.members) for (const packed of group.cells) {
    const k = packed >> 2;
    const item = find(rowOf(p).get(k), state.cap), d = data.d[item.decision];
    lines.push([data.s[data.p[p][0]], data.s[data.k[k][0]], data.caps[item.cap], data.outcomes[d[0]], data.s[d[2]], data.s[d[1]]]);
  }
  download("access-view.csv", lines);
}
