"use strict";
// The why chain: every cell of access opens it, with the statements marked in the text of their policies.
const outcomeNode = (outcome) => make("span", { class: `outcome out-${data.outcomes[outcome]}` }, OUTCOMES[outcome]);

/** Shows why principal p may, or may not, use key k; capability `cap`, when named, comes first. */
function showWhy(p, k, cap) {
  if (!data.p[p] || !data.k[k]) return;
  const parts = [make("h2", { id: "why-title" }, make("a", { href: `#principal-${p}` }, short(str(data.p[p][1]), 80)), " → ", make("a", { href: `#key-${k}` }, short(str(data.k[k][1]), 80)))];
  parts.push(make("p", {}, make("code", { class: "arn" }, short(str(data.p[p][0]), 300)), make("br"), make("code", { class: "arn" }, short(str(data.k[k][0]), 300))));
  const cell = rowOf(p).get(k);
  if (cell === undefined) parts.push(make("p", {}, "Denied for every capability; kms-audit explain names the reason."));
  else {
    const items = [...held(cell)].sort((a, b) => (b.cap === cap) - (a.cap === cap) || a.cap - b.cap);
    for (const [caps, item] of alike(items)) parts.push(...whyParts(caps, item, p, k));
  }
  byId("why-body").replaceChildren(...parts);
  linkWhy(cap === undefined ? `${p}.${k}` : `${p}.${k}.${cap}`);
  if (!byId("why").open) byId("why").showModal();
  byId("why").scrollTop = 0;
}
/** Capabilities that one decision answers are told together. */
function alike(items) {
  const found = new Map();
  for (const item of items) found.set(item.decision, [...(found.get(item.decision) ?? []), item]);
  return [...found.values()].map((group) => [group.map((one) => data.caps[one.cap]), group[0]]);
}
function linkWhy(pair) {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const state = new URLSearchParams(query);
  if (pair) state.set("why", pair); else state.delete("why");
  remember(name || "summary", state);
}
function whyParts(caps, item, p, k) {
  const [outcome, reason, condition, path, causes, flags] = data.d[item.decision];
  return [make("h3", {}, `${caps.join(", ")} `, outcomeNode(outcome)),
    make("p", {}, make("code", {}, `kms:${data.a[item.action].replace(/^kms:/, "")}`), ` ${str(reason).replace(/[_-]/g, " ")}`, str(path) ? `, by ${str(path).replace(/-/g, " ")}` : "",
      ...flags.flatMap((flag) => [" ", make("span", { class: "chip" }, str(flag).replace(/_/g, " "))])),
    str(condition) ? make("p", { class: "cond" }, short(str(condition), 1500)) : "",
    make("ol", { class: "causes" }, ...causes.map((number) => causeNode(data.c[number], p, k)))].filter(Boolean);
}
function ownText(layer, policy, p, k) {
  const flat = str(layer) === "key-policy" ? data.kt[k] : data.pt[p];
  for (let i = 0; i < flat.length; i += 3) if (flat[i] === layer && flat[i + 1] === policy) return flat[i + 2];
  return -1;
}
function causeNode([layer, role, owner, note, grant, policy, index, sid, cited], p, k) {
  const text = cited >= 0 || index < 0 ? cited : ownText(layer, policy, p, k);
  const node = make("li", {}, make("span", { class: `role role-${str(role)}` }, str(role)), " ", make("b", {}, str(layer).replace(/-/g, " ")), " ",
    index >= 0 ? `${short(str(policy), 120)}, statement ${index + 1} ` : "", str(sid) ? make("q", {}, short(str(sid), 120)) : "",
    str(grant) ? make("code", {}, ` grant ${short(str(grant), 70)}`) : "", make("span", { class: "muted" }, ` ${short(str(owner), 140)}`),
    str(note) ? make("span", { class: "note" }, short(str(note), 400)) : "");
  if (text >= 0) node.append(make("details", { open: "" }, make("summary", {}, "policy text"), policyNode(data.t[text], index)));
  return node;
}
/** The policy with the cited statement marked, and the others folded to their Sids. */
function policyNode(text, cited) {
  let parsed;
  try { parsed = JSON.parse(text); } catch { return make("pre", { tabindex: "0" }, plain(short(text, 20000))); }
  const statements = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  const pretty = (statement) => plain(`${short(JSON.stringify(statement, null, 2), 20000)}\n`);
  const others = statements.length - 1;
  return make("div", {}, make("pre", { tabindex: "0" }, make("mark", {}, pretty(statements[cited]))),
    others ? make("details", { class: "rest" }, make("summary", {}, `whole policy, ${others} more statement${others > 1 ? "s" : ""}`),
      make("pre", { tabindex: "0" }, ...statements.map((statement, i) => make(i === cited ? "mark" : "span", {}, pretty(statement))))) : "");
}

byId("why").addEventListener("click", (event) => {
  if (event.target === byId("why")) { byId("why").close(); return; }
  if (event.target.tagName !== "A") return;
  event.preventDefault(); // the close event strips the pair from the address first, then the link is followed
  byId("why").addEventListener("close", () => { location.hash = event.target.hash; }, { once: true });
  byId("why").close();
});
byId("why").addEventListener("close", () => linkWhy(""));
// Letters in the tables of the pages: without this script they lead to the list of reasons.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a.cell"), row = link?.closest("[data-p]");
  if (!row || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  showWhy(Number(row.dataset.p), Number(row.dataset.k), link.closest("td").cellIndex - 1);
});
