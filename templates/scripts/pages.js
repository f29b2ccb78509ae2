"use strict";
// Pages of keys and principals that the server side left out, or whose rows did not fit.
function pairsOf(kind, place) {
  if (kind === "principal") return [...rowOf(place)].map(([k, cell]) => [k, cell]);
  const found = [];
  data.p.forEach((_, p) => { const cell = rowOf(p).get(place); if (cell !== undefined) found.push([p, cell]); });
  return found;
}
function pairRow(kind, place, other, cell) {
  const [p, k] = kind === "key" ? [other, place] : [place, other];
  const record = kind === "key" ? data.p[p] : data.k[k];
  const words = new Map();
  const cells = data.caps.map((title, cap) => {
    const item = find(cell, cap);
    if (!item) return make("td");
    const condition = str(data.d[item.decision][2]);
    if (condition) words.set(condition, [...(words.get(condition) ?? []), title]);
    const outcome = Math.min(outcomeOf(item), 3);
    return make("td", {}, make("a", { class: `cell h${outcome}`, href: `#${kind}-${place}?why=${p}.${k}.${cap}`, title: data.a[item.action].replace(/^kms:/, "") }, LETTERS[outcome]));
  });
  return make("tr", { "data-p": p, "data-k": k }, th(kind === "key" ? "principal" : "key", other, str(record[1])), ...cells,
    make("td", {}, ...[...words].map(([condition, titles]) => make("div", { class: "cond" }, make("b", {}, titles.join(", ")), ` ${short(condition, 300)}`))));
}
function heldTable(kind, place) {
  const rows = pairsOf(kind, place).map(([other, cell]) => pairRow(kind, place, other, cell));
  const head = make("tr", {}, ...[kind === "key" ? "Principal" : "Key", ...data.caps, "Condition"].map((name) => make("th", { scope: "col" }, name)));
  const id = `held-${kind}-${place}`;
  tables.delete(id);
  const box = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Access" },
    make("table", { class: "held", id }, make("thead", {}, head), make("tbody", {}, ...rows)));
  if (rows.length > PAGE) queueMicrotask(() => enhance(id));
  return box;
}
// A page made on demand says what only the files have: the island has no room for everything about everybody.
const LEFT_OUT = {
  key: "This page was made on demand. Not on it: description, further aliases and tags (keys.csv), grants with their constraints (grants.csv), and findings about more than 12 keys at once (findings.csv).",
  principal: "This page was made on demand. Not on it: creation, last use, groups, tags (principals.csv), the trust policy and the policies of principals without any access (result.json), and findings about more than 12 principals at once (findings.csv).",
};
function keyFacts(place, record) {
  const [usage, origin, family, created, deletion, used] = data.ke[place].map(str);
  return [["Score", number(record[9])], ["State", str(record[4]) + (deletion && `, deletion on ${deletion}`)], ["Account", str(record[2])], ["Region", str(record[3])],
    ["Manager", str(record[7]) === "CUSTOMER" ? "you" : "AWS (its policy cannot be changed)"], ["Spec and usage", `${str(record[5])}, ${usage}`], ["Origin", origin], ["Rotation", str(record[6])],
    ["Created", created], ["Last used", used], ["Multi-Region", family], ["Grants", number(record[8]) || "not read"]];
}
/** The findings that name a key or principal, worst first. */
function findingsAbout(kind, place) {
  findingTable();
  const found = facts.filter((one) => !one.copy && named(one.row, kind).length <= MANY && named(one.row, kind).includes(`#${place}`));
  if (!found.length) return [];
  const line = ({ row, severity, state }) => make("li", {}, make("span", { class: `badge sev-${severity}` }, severity), " ",
    make("span", {}, make("a", { href: `#${row.id}` }, row.querySelector("summary b").textContent), " ", state === "open" ? "" : make("span", { class: "chip" }, state)));
  return [make("h3", {}, "Findings"), make("ul", { class: "plain" }, ...found.slice(0, 50).map(line)),
    found.length > 50 ? make("p", { class: "muted" }, `and ${found.length - 50} more in findings.csv`) : ""];
}
function buildPage(kind, place) {
  const record = (kind === "key" ? data.k : data.p)[place];
  if (!record) return null;
  const facts = kind === "key" ? keyFacts(place, record) : [["Kind", str(record[2]).replace(/-/g, " ")], ["Account", str(record[3])], ["Power", number(record[5])], ["Score", number(record[6])]];
  const texts = (kind === "key" ? data.kt : data.pt)[place], policies = [];
  for (let i = 0; i < texts.length; i += 3) policies.push(make("details", { class: "policy" }, make("summary", {}, make("b", {}, str(texts[i]).replace(/-/g, " ")), ` ${short(str(texts[i + 1]), 140)}`), wholePolicy(data.t[texts[i + 2]])));
  const unread = (kind === "key" ? data.ku : data.pu)[place];
  const page = make("article", { class: "page" }, make("p", { class: "crumb" }, make("a", { href: kind === "key" ? "#keys" : "#principals" }, kind === "key" ? "Keys" : "Principals")),
    make("h2", {}, short(str(record[1]))), make("p", {}, make("code", { class: "arn" }, short(str(record[0]), 400))),
    unread === undefined ? "" : make("p", { class: "banner" }, `Not read for this ${kind}: ${str(unread)}. What rests on it is unknown.`),
    record[4] === 1 && kind === "principal" ? make("p", { class: "banner" }, "Outside the collected accounts: its own policies were not read, so this is what the keys would let it do.") : "",
    make("dl", { class: "facts grid" }, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value || "–")))),
    ...findingsAbout(kind, place),
    make("h3", {}, kind === "key" ? "Who can use it" : "What it can use"),
    pairsOf(kind, place).length ? heldTable(kind, place) : make("p", { class: "muted" }, kind === "principal" ? "No key that was read." : unread === undefined ? "Nobody among the principals that were read or mentioned." : "Nothing could be established."), policies.length ? make("h3", {}, "Policy text") : "", ...policies, make("p", { class: "muted" }, LEFT_OUT[kind]));
  byId(`built-${kind}`).replaceChildren(page);
  return page;
}
function wholePolicy(text) {
  let pretty = text;
  try { pretty = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it is */ }
  return make("pre", { tabindex: "0" }, plain(short(pretty, 20000)));
}
/** Shows the page of a key or principal; false when there is none. */
function openPage(kind, place) {
  const page = byId(`${kind}-${place}`) ?? buildPage(kind, place);
  if (!page) return false;
  page.classList.add("on");
  const heading = page.querySelector("h2"); // the list's own heading is out of sight
  heading.setAttribute("role", "heading");
  heading.setAttribute("aria-level", "1");
  for (const lower of page.querySelectorAll("h3")) { lower.setAttribute("role", "heading"); lower.setAttribute("aria-level", "2"); }
  page.querySelector(".built")?.replaceWith(heldTable(kind, place));
  toTop();
  return true;
}
