"use strict";
// The table of findings: facets, text, groups; the findings that the page itself has no room for come from the island.
const FACETS = ["severity", "category", "rule", "account", "region", "state"];
const RANKS = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };
/** The order of findings: by severity, and what is resolved after everything else. */
const urgency = (one) => (one.state === "resolved" ? 5 : 0) + RANKS[one.severity];
const MANY = 12;
let groupOf = () => "", groupRanks = new Map();

const refLink = (kind, place) => (place < 0 ? make("code", {}, short(str(-1 - place), 160))
  : make("a", { href: `#${kind}-${place}` }, short(str(data[kind === "key" ? "k" : "p"][place][1]), 80)));
function links(kind, places) {
  return places.flatMap((place) => [refLink(kind, place), " "]);
}

function builtFinding(entry, number) {
  const [severity, rule, title, summary, category, account, region, state, subject] = entry.slice(0, 9).map(str);
  const [latent, confidence, keys, principals, evidence] = [entry[15], str(entry[16]), entry[17], entry[18], entry[19]];
  const chips = [latent & 2 && "new", latent & 4 && "perhaps new", str(entry[20]) && `was ${str(entry[20])}`, state !== "open" && state, latent & 1 && "latent", confidence !== "confirmed" && confidence].filter(Boolean);
  const details = make("details", {}, make("summary", {}, make("b", {}, short(title, 160)), make("span", { class: "muted" }, short(summary, 400))));
  const row = make("tr", { class: "finding", id: `finding-${number}` }, make("td", {}, make("span", { class: `badge sev-${severity}` }, severity)),
    make("td", { "data-search": [title, summary, subject, str(entry[11]), ...evidence.map(str)].join(" ") }, details),
    make("td", { class: "where" }, make("code", {}, rule), make("span", { class: "muted" }, `${account} ${region}`), ...chips.map((chip) => make("span", { class: "chip" }, chip))));
  const spelled = (places) => places.map((place) => (place < 0 ? str(-1 - place) : `#${place}`)).join("\n");
  Object.assign(row.dataset, { severity, category, rule, account, region, state, key: spelled(keys), principal: spelled(principals) });
  completeLater(details, () => findingBody(entry));
  return row;
}
// What is inside a finding is built when somebody opens it, or for paper.
const bodies = new Map();
function completeLater(details, build) {
  bodies.set(details, build);
  details.addEventListener("toggle", () => complete(details));
}
function complete(details) {
  const build = bodies.get(details);
  if (build) { bodies.delete(details); details.append(build()); }
}
addEventListener("beforeprint", () => { for (const details of [...bodies.keys()]) complete(details); });

function findingBody(entry) {
  const [rule, subject, fix, body, print, seen, clauses, maps] = [1, 8, 9, 10, 11, 12, 13, 14].map((n) => str(entry[n]));
  const [keys, principals, evidence] = entry.slice(17);
  const facts = make("dl", { class: "facts" });
  const fact = (name, ...value) => facts.append(make("dt", {}, short(name, 80)), make("dd", {}, ...value));
  fact("Subject", make("code", {}, short(subject, 160)));
  if (keys.length) fact("Keys", ...links("key", keys));
  if (principals.length) fact("Principals", ...links("principal", principals));
  for (let i = 0; i < evidence.length; i += 2) fact(str(evidence[i]), str(evidence[i + 1]));
  if (clauses) fact("Severity", clauses);
  if (seen) fact("First seen", seen);
  fact("Fingerprint", make("code", {}, print));
  return make("div", { class: "body" }, facts, make("h2", {}, "Fix"), make("p", {}, fix), body ? make("pre", { tabindex: "0" }, body) : "",
    maps ? make("p", { class: "muted" }, `Supports the assessment of ${maps}. ${data.basis}`) : "", snippet(rule, print));
}
function snippet(rule, print) {
  const day = document.querySelector(".snippet pre")?.textContent.match(/approved: (\S*)/)?.[1] ?? "…";
  return make("details", { class: "snippet" }, make("summary", {}, "Accept this finding"), make("pre", { tabindex: "0" },
    `- rule: ${rule}\n  fingerprint: "${print}"\n  kind: accepted-risk\n  reason: …\n  approver: …\n  approved: ${day}\n  expires: …`));
}

// The facts of each row, by DataTables' index: reading them from the elements again and again would be slow.
let facts = [];
const factsOf = (row, copy = "") => ({ row, copy, ...row.dataset, key: groupsOf(row, "key")[0], principal: groupsOf(row, "principal")[0] });
/** Keys or principals (`by`) of a row, as "#place" where it is known, else as ARN. */
const named = (row, by) => (row.dataset[by] ?? "").split("\n").filter(Boolean);
/** The groups that a finding stands in: one for each key or principal, and one for those about very many. */
function groupsOf(row, by) {
  const listed = [...new Set(named(row, by))];
  return listed.length > MANY ? [`more than ${MANY} ${by}s`] : listed.length ? listed : [""];
}
/** A finding about several keys (principals) stands in the group of each: rows are copied when somebody groups by it. */
function addCopies(api, by) {
  if ((by !== "key" && by !== "principal") || addCopies.made.has(by)) return;
  addCopies.made.add(by);
  const copies = facts.filter((one) => !one.copy).flatMap((one) => groupsOf(one.row, by).slice(1).map((group) => ({ ...one, row: copyOf(one.row), copy: by, [by]: group })));
  facts.push(...copies);
  for (const one of copies) factOf.set(one.row, one);
  api.rows.add(copies.map((one) => one.row));
}
addCopies.made = new Set();
const factOf = new Map();
function copyOf(row) {
  const copy = row.cloneNode(true), details = copy.querySelector("details"), build = bodies.get(row.querySelector("details"));
  copy.removeAttribute("id");
  details.open = false;
  if (build) completeLater(details, build);
  for (const button of copy.querySelectorAll("button.copy")) button.remove();
  return copy;
}
function findingTable() {
  if (!byId("finding-table")) return null;
  if (tables.has("finding-table")) return tables.get("finding-table");
  DataTable.ext.order.finding = () => facts.map((one) => String(groupRanks.get(groupOf(one)) ?? 0).padStart(6, "0") + urgency(one));
  const body = byId("finding-table").tBodies[0], more = data.f.map((entry, i) => builtFinding(entry, body.rows.length + i));
  for (const row of body.rows) row.cells[1].dataset.search = `${row.querySelector("summary").textContent} ${row.querySelector(".facts").textContent}`;
  facts = [...body.rows, ...more].map((row) => factsOf(row));
  for (const one of facts) factOf.set(one.row, one);
  const api = enhance("finding-table", {
    columnDefs: [{ targets: 0, orderDataType: "finding", type: "string" }], drawCallback: () => headings(),
    language: { info: "_START_–_END_ of _TOTAL_ rows", infoFiltered: "", infoEmpty: "", zeroRecords: "No finding matches." },
  }, more);
  api.search.fixed("facets", (_text, _row, index) => (!facts[index].copy || facts[index].copy === findingTable.by) && findingTable.wanted.every(([name, value]) => facts[index][name] === value));
  return api;
}
findingTable.wanted = [];
findingTable.by = "";

function filterFindings() {
  if (!byId("finding-table")) return;
  const e = byId("finding-filters").elements, api = findingTable(), by = e.group.value;
  findingTable.wanted = FACETS.map((name) => [name, e[name].value]).filter((pair) => pair[1]);
  groupOf = by ? (one) => one[by] || "none" : () => "";
  findingTable.by = by;
  addCopies(api, by);
  rankGroups();
  api.search(e.q.value.trim()).order([[0, "asc"]]).draw();
  const shown = api.rows({ search: "applied" }).indexes().toArray(), distinct = shown.filter((n) => !facts[n].copy).length;
  byId("finding-count").textContent = `${distinct} of ${facts.filter((one) => !one.copy).length} findings`
    + (distinct < shown.length ? `; those about several ${by}s stand under each of them (about more than ${MANY}: in a group of their own, last), ${shown.length} rows` : "");
}
/** Groups in the order of their worst finding, then of their size; what has no key (principal) of its own comes last. */
function rankGroups() {
  const found = new Map();
  for (const one of facts) {
    if (one.copy && one.copy !== findingTable.by) continue;
    const group = found.get(groupOf(one)) ?? { worst: 99, size: 0 };
    found.set(groupOf(one), { worst: Math.min(group.worst, urgency(one)), size: group.size + 1 });
  }
  const last = (group) => findingTable.by !== "rule" && (group === "none" || group.startsWith("more than "));
  const order = [...found].sort(([a, one], [b, two]) => last(a) - last(b) || one.worst - two.worst || two.size - one.size || (a < b ? -1 : 1));
  groupRanks = new Map(order.map(([name], rank) => [name, rank]));
}
function headings() {
  const body = byId("finding-table").tBodies[0], api = tables.get("finding-table");
  for (const heading of body.querySelectorAll("tr.group")) heading.remove();
  if (!api || !byId("finding-filters").elements.group.value) return;
  const sizes = new Map();
  for (const n of api.rows({ search: "applied" }).indexes().toArray()) sizes.set(groupOf(facts[n]), (sizes.get(groupOf(facts[n])) ?? 0) + 1);
  let before = null;
  for (const row of [...body.querySelectorAll("tr.finding")]) {
    const group = groupOf(factOf.get(row));
    if (group !== before) row.before(make("tr", { class: "group" }, make("th", { colspan: "3", scope: "rowgroup" }, short(groupName(group)), make("span", { class: "muted" }, ` ${sizes.get(group)}`))));
    before = group;
  }
}

/** What people call the key or principal of a group; another text as it is. */
function groupName(group) {
  const record = /^#\d+$/.test(group) && (findingTable.by === "key" ? data.k : data.p)[group.slice(1)];
  return record ? `${str(record[1])}  ${str(record[0])}` : plain(group);
}

/** Turns to the page of a finding and opens it; false when there is none. */
function openFinding(number) {
  if (!byId("finding-table")) return false;
  const api = findingTable(), at = facts.findIndex((one) => one.row.id === `finding-${number}`);
  if (at < 0) return false;
  const { row } = facts[at], place = api.rows({ search: "applied", order: "applied" }).indexes().toArray().indexOf(at);
  if (place >= 0) api.page(Math.floor(place / PAGE)).draw(false);
  row.querySelector("details").open = true;
  complete(row.querySelector("details"));
  row.scrollIntoView({ block: "center" });
  return true;
}
function findingsCsv() {
  if (!byId("finding-table")) return;
  const rows = tables.get("finding-table").rows({ search: "applied", order: "applied" }).nodes().toArray().filter((row) => !factOf.get(row).copy);
  const arns = (row, by) => [...named(row, by).slice(0, MANY), ...(named(row, by).length > MANY ? ["and more"] : [])].map((one) => (one.startsWith("#") ? str((by === "key" ? data.k : data.p)[one.slice(1)][0]) : one)).join(" ");
  download("findings-view.csv", [[...FACETS, "title", "summary", "key", "principal"], ...rows.map((row) => [...FACETS.map((name) => row.dataset[name]),
    row.querySelector("summary b").textContent, row.querySelector("summary .muted").textContent, arns(row, "key"), arns(row, "principal")])]);
}
