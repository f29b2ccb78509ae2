"use strict";
// Reads the data island and makes the page interactive. Writes to the page through textContent only: every text of the
// island comes from AWS and is hostile. Without this script the page is complete but for the heat map.
(() => {
  const data = JSON.parse(document.getElementById("island").textContent);
  const byId = (id) => document.getElementById(id);
  const str = (n) => plain(data.s[n]);
  const LETTERS = ["A", "C", "?", "B", "B"];
  const SHOWN_ROWS = 400, SHOWN_KEYS = 120;

  function plain(text) {
    return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
      (c) => `⟦U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟧`);
  }
  const short = (text, n = 200) => (text.length > n ? `${text.slice(0, n)}… (${text.length} characters)` : text);

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") node.addEventListener("click", value);
      else node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  }

  function say(text) {
    byId("said").textContent = text;
    setTimeout(() => { byId("said").textContent = ""; }, 2500);
  }

  // Rows of access: Map of key → cell, decoded once per distinct row.
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
  function held(cell) {
    if (!cellCache[cell]) {
      const list = [];
      const flat = data.v[cell];
      for (let i = 0; i < flat.length; i += 3) list.push({ cap: flat[i], action: flat[i + 1], decision: flat[i + 2] });
      cellCache[cell] = list;
    }
    return cellCache[cell];
  }
  function find(cell, cap) {
    return cell === undefined ? undefined : held(cell).find((item) => item.cap === cap);
  }
  const outcomeOf = (item) => data.d[item.decision][0];

  // ---- routes: "#findings?severity=high", "#key-3" ------------------------------------------------------------
  const VIEWS = ["summary", "findings", "access", "keys", "principals", "grants", "coverage"];
  let silent = false;
  function route() {
    if (silent) { silent = false; return; }
    const [name, query = ""] = location.hash.slice(1).split("?");
    const page = /^(key|principal|finding)-(\d+)$/.exec(name);
    const view = page ? { key: "keys", principal: "principals", finding: "findings" }[page[1]] : VIEWS.includes(name) ? name : "summary";
    for (const id of VIEWS) byId(id).classList.toggle("on", id === view);
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${view}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
    for (const open of document.querySelectorAll(".page.on")) open.classList.remove("on");
    byId(view).classList.toggle("paged", Boolean(page) && page[1] !== "finding");
    const state = new URLSearchParams(query);
    if (view === "findings") { readFindings(); fill(byId("finding-filters"), page ? new URLSearchParams() : state); filterFindings(); }
    if (view === "access") { fill(byId("heat-filters"), state); drawHeat(); }
    if (page) openPage(page[1], Number(page[2])); else top0();
    if (state.get("why")) { const [p, k] = state.get("why").split("."); showWhy(Number(p), Number(k)); }
  }
  const top0 = () => { window.scrollTo(0, 0); requestAnimationFrame(() => window.scrollTo(0, 0)); };
  function openPage(kind, number) {
    let page = byId(`${kind}-${number}`);
    if (!page && kind !== "finding") page = buildPage(kind, number);
    if (!page) return;
    page.classList.add("on");
    const built = page.querySelector(".built");
    if (built) { built.replaceWith(heldTable(kind, number)); }
    const details = page.querySelector("details");
    if (kind === "finding" && details) { details.open = true; page.scrollIntoView({ block: "center" }); } else top0();
  }
  function fill(form, state) {
    for (const field of form.elements) {
      if (!field.name) continue;
      if (field.type === "checkbox") field.checked = state.get(field.name) === field.value;
      else if (state.has(field.name)) field.value = state.get(field.name);
      else if (field.tagName === "SELECT") field.selectedIndex = Math.max(0, [...field.options].findIndex((o) => o.defaultSelected));
      else field.value = "";
    }
  }
  function remember(view, form) {
    const state = new URLSearchParams();
    for (const field of form.elements) {
      if (!field.name || (field.type === "checkbox" && !field.checked)) continue;
      const standard = field.tagName === "SELECT" ? Math.max(0, [...field.options].findIndex((o) => o.defaultSelected)) : -1;
      if (field.value && field.selectedIndex !== standard) state.set(field.name, field.value);
    }
    const text = state.toString();
    history.replaceState(null, "", `#${view}${text ? `?${text}` : ""}`);
  }

  // ---- findings ------------------------------------------------------------------------------------------------
  const findings = [];
  function briefFinding(entry, number) {
    const [severity, rule, title, summary, category, account, region, state, subject, fix, principal] = entry.map(str);
    const node = make("article", { class: "finding", id: `finding-${number}` },
      make("details", {}, make("summary", {}, make("span", { class: `badge sev-${severity}` }, severity),
        make("span", { class: "what" }, make("b", {}, short(title)), make("span", { class: "muted" }, short(summary, 400))),
        make("span", { class: "chips" }, make("code", {}, rule))),
      make("div", { class: "body" }, make("p", {}, make("code", {}, short(subject))), make("p", {}, short(fix, 600)))));
    Object.assign(node.dataset, { severity, category, rule, account, region, state, key: subject, principal });
    return node;
  }
  function readFindings() {
    if (findings.length || readFindings.done) return;
    readFindings.done = true;
    const list = byId("finding-list");
    const first = list.children.length;
    list.append(...data.f.map((entry, i) => briefFinding(entry, first + i)));
    for (const node of list.children) findings.push({ node, set: node.dataset, text: node.textContent.toLowerCase() });
  }
  const FACETS = ["severity", "category", "rule", "account", "region", "state"];
  let groupedBy = "";
  function filterFindings() {
    const form = byId("finding-filters");
    const wanted = FACETS.map((name) => [name, form.elements[name].value]).filter((pair) => pair[1]);
    const query = form.elements.q.value.trim().toLowerCase();
    let shown = 0;
    for (const item of findings) {
      const keep = wanted.every(([name, value]) => item.set[name] === value) && (!query || item.text.includes(query));
      if (item.node.hidden === keep) item.node.hidden = !keep;
      shown += keep;
    }
    byId("finding-count").textContent = `${shown} of ${findings.length} findings`;
    group(form.elements.group.value);
  }
  function group(by) {
    const list = byId("finding-list");
    if (by !== groupedBy) {
      for (const heading of list.querySelectorAll(".group")) heading.remove();
      if (!by) list.append(...findings.map((item) => item.node));
      else {
        const groups = Map.groupBy(findings, (item) => item.set[by] || "none");
        for (const [name, items] of groups) list.append(make("h2", { class: "group" }, short(name)), ...items.map((item) => item.node));
      }
      groupedBy = by;
    }
    for (const heading of list.querySelectorAll(".group")) {
      let next = heading.nextElementSibling, any = false;
      while (next && !next.classList.contains("group") && !any) { any = !next.hidden; next = next.nextElementSibling; }
      heading.hidden = !any;
    }
  }
  function findingsCsv() {
    const rows = findings.filter((item) => !item.node.hidden).map((item) => [...FACETS.map((name) => item.set[name]),
      item.node.querySelector("b").textContent, item.node.querySelector(".what .muted").textContent]);
    download("findings-view.csv", [[...FACETS, "title", "summary"], ...rows]);
  }

  // ---- heat map --------------------------------------------------------------------------------------------------
  function heatState() {
    const e = byId("heat-filters").elements;
    return { cap: Number(e.cap.value), account: e.account.value, region: e.region.value, outcome: e.outcome.value,
      q: e.q.value.trim().toLowerCase(), external: e.external.checked };
  }
  function heatRows(state) {
    const keys = new Set();
    data.k.forEach((key, k) => {
      if ((!state.account || data.s[key[2]] === state.account) && (!state.region || data.s[key[3]] === state.region)) keys.add(k);
    });
    const matches = (record) => data.s[record[0]].toLowerCase().includes(state.q) || data.s[record[1]].toLowerCase().includes(state.q);
    const hitKeys = state.q ? new Set([...keys].filter((k) => matches(data.k[k]))) : null;
    const groups = new Map();
    const used = new Set();
    data.p.forEach((record, p) => {
      if (state.external && !record[4]) return;
      const mine = !state.q || matches(record);
      if (!mine && !hitKeys.size) return;
      const cells = [];
      for (const [k, cell] of rowOf(p)) {
        if (!keys.has(k) || (!mine && !hitKeys.has(k))) continue;
        const item = find(cell, state.cap);
        if (!item) continue;
        const outcome = Math.min(outcomeOf(item), 3);
        if (state.outcome !== "" && String(outcome) !== state.outcome) continue;
        cells.push([k, outcome]);
      }
      if (!cells.length) return;
      const signature = cells.join(";");
      const group = groups.get(signature);
      if (group) group.members.push(p); else groups.set(signature, { members: [p], cells: new Map(cells) });
      for (const [k] of cells) used.add(k);
    });
    return { groups: [...groups.values()], keys: [...used].sort((a, b) => a - b) };
  }
  function drawHeat() {
    const state = heatState();
    const { groups, keys } = heatRows(state);
    const columns = keys.slice(0, SHOWN_KEYS), rows = groups.slice(0, SHOWN_ROWS);
    const total = groups.reduce((sum, group) => sum + group.members.length, 0);
    byId("heat-note").textContent = `${total} principals in ${groups.length} rows of equal access, ${keys.length} keys.`
      + (columns.length < keys.length || rows.length < groups.length
        ? ` Shown: ${rows.length} rows and ${columns.length} keys; narrow the filters, or take the CSV for all.` : "");
    const head = make("tr", {}, make("th", { scope: "row" }, "Principal"),
      ...columns.map((k) => make("th", { scope: "col" }, make("a", { href: `#key-${k}` }, short(str(data.k[k][1]), 34)))));
    const body = rows.map((group) => make("tr", {}, heatName(group.members),
      ...columns.map((k) => make("td", {}, heatCell(group, k)))));
    byId("heat").replaceChildren(rows.length ? make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))
      : make("p", {}, "No principal matches."));
  }
  function heatName(members) {
    const first = members[0];
    const name = make("a", { href: `#principal-${first}` }, short(str(data.p[first][1]), 60));
    if (members.length === 1) return make("th", { scope: "row" }, name);
    const rest = members.slice(1, 200).map((p) => make("li", {}, make("a", { href: `#principal-${p}` }, short(str(data.p[p][0]), 120))));
    return make("th", { scope: "row" }, name, make("details", {}, make("summary", { class: "muted" }, `and ${members.length - 1} with equal access`), make("ul", {}, ...rest)));
  }
  function heatCell(group, key) {
    const outcome = group.cells.get(key);
    if (outcome === undefined) return "";
    const label = `${str(data.p[group.members[0]][1])}, ${str(data.k[key][1])}: ${["allowed", "conditional", "unknown", "blocked"][outcome]}`;
    return make("button", { type: "button", class: `cell h${outcome}`, "aria-label": short(label),
      onclick: () => showWhy(group.members[0], key) }, LETTERS[outcome]);
  }
  function accessCsv() {
    const state = heatState();
    const lines = [["principal", "key", "capability", "outcome", "condition", "reason"]];
    for (const group of heatRows(state).groups) for (const p of group.members) for (const k of group.cells.keys()) {
      const item = find(rowOf(p).get(k), state.cap), d = data.d[item.decision];
      lines.push([data.s[data.p[p][0]], data.s[data.k[k][0]], data.caps[item.cap], data.outcomes[d[0]], data.s[d[2]], data.s[d[1]]]);
    }
    download("access-view.csv", lines);
  }
  function download(name, rows) {
    const cell = (value) => { const text = String(value ?? ""); return `"${(/^[\s\u200b-\u200f\u202a-\u202e]*[=+\-@]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`; };
    const url = URL.createObjectURL(new Blob([rows.map((row) => row.map(cell).join(",")).join("\r\n")], { type: "text/csv" }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    say(`${rows.length - 1} rows saved`);
  }

  // ---- the why chain ------------------------------------------------------------------------------------------------
  function outcomeNode(outcome) {
    return make("span", { class: `outcome out-${data.outcomes[outcome]}` }, outcome > 2 ? "blocked" : data.outcomes[outcome]);
  }
  function showWhy(p, k) {
    if (!data.p[p] || !data.k[k]) return;
    const parts = [make("h2", { id: "why-title" }, make("a", { href: `#principal-${p}` }, short(str(data.p[p][1]), 80)), " → ", make("a", { href: `#key-${k}` }, short(str(data.k[k][1]), 80)))];
    parts.push(make("p", {}, make("code", { class: "arn" }, short(str(data.p[p][0])))));
    const cell = rowOf(p).get(k);
    if (cell === undefined) parts.push(make("p", {}, "Denied for every capability; kms-audit explain names the reason."));
    else for (const item of held(cell)) parts.push(...whyParts(item, p, k));
    byId("why-body").replaceChildren(...parts);
    linkWhy(`${p}.${k}`);
    if (!byId("why").open) byId("why").showModal();
  }
  function linkWhy(pair) {
    const [name, query = ""] = location.hash.slice(1).split("?");
    const state = new URLSearchParams(query);
    if (pair) state.set("why", pair); else state.delete("why");
    const text = state.toString();
    history.replaceState(null, "", `#${name || "summary"}${text ? `?${text}` : ""}`);
  }
  function whyParts(item, p, k) {
    const [outcome, reason, condition, path, causes, flags] = data.d[item.decision];
    const chain = causes.map((number) => causeNode(data.c[number], p, k));
    return [make("h3", {}, `${data.caps[item.cap]} `, outcomeNode(outcome)),
      make("p", {}, make("code", {}, data.a[item.action]), ` ${str(reason).replace(/[_-]/g, " ")}`, str(path) ? `, by ${str(path).replace(/-/g, " ")}` : "",
        ...flags.map((flag) => make("span", { class: "chip" }, str(flag).replace(/_/g, " ")))),
      str(condition) ? make("p", {}, make("b", {}, "Only "), short(str(condition), 1500)) : "",
      make("ol", { class: "causes" }, ...chain)].filter(Boolean);
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
    if (text >= 0) node.append(make("details", {}, make("summary", {}, "policy text"), policyNode(data.t[text], index)));
    return node;
  }
  function policyNode(text, cited) {
    let parsed;
    try { parsed = JSON.parse(text); } catch { return make("pre", { tabindex: "0" }, plain(short(text, 20000))); }
    const statements = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
    const rest = Object.entries(parsed).filter(([name]) => name !== "Statement").map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return make("pre", { tabindex: "0" }, plain(`${rest.join("\n")}\n`), ...statements.map((statement, i) =>
      make(i === cited ? "mark" : "span", {}, plain(`${short(JSON.stringify(statement, null, 2), 20000)}\n`))));
  }

  // ---- pages that the server side left out -----------------------------------------------------------------------------
  function pairsOf(kind, number) {
    if (kind === "principal") return [...rowOf(number)].map(([k, cell]) => [k, cell]);
    const found = [];
    data.p.forEach((_, p) => { const cell = rowOf(p).get(number); if (cell !== undefined) found.push([p, cell]); });
    return found;
  }
  function heldTable(kind, number) {
    const pairs = pairsOf(kind, number), towards = kind === "key" ? "p" : "k";
    const link = (other) => `#${kind === "key" ? "principal" : "key"}-${other}`;
    const rows = pairs.slice(0, 500).map(([other, cell]) => make("tr", {}, make("th", { scope: "row" }, make("a", { href: link(other) }, short(str(data[towards][other][1]), 80))),
      ...data.caps.map((_, cap) => { const item = find(cell, cap); return make("td", {}, item ? outcomeNode(outcomeOf(item)) : "–"); }),
      make("td", {}, make("button", { type: "button", onclick: () => (kind === "key" ? showWhy(other, number) : showWhy(number, other)) }, "Why"))));
    const head = make("tr", {}, ...[kind === "key" ? "Principal" : "Key", ...data.caps, "Why"].map((name) => make("th", { scope: "col" }, name)));
    return make("div", {}, pairs.length > 500 ? make("p", { class: "muted" }, `The first 500 of ${pairs.length}; access.csv has all.`) : "",
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Access" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))));
  }
  function buildPage(kind, number) {
    const record = (kind === "key" ? data.k : data.p)[number];
    if (!record) return null;
    const page = make("article", { class: "page" }, make("p", { class: "crumb" }, make("a", { href: kind === "key" ? "#keys" : "#principals" }, "Back to the list")),
      make("h2", {}, short(str(record[1]))), make("p", {}, make("code", { class: "arn" }, short(str(record[0]), 400))), heldTable(kind, number));
    byId(`built-${kind}`).replaceChildren(page);
    return page;
  }

  // ---- wiring ---------------------------------------------------------------------------------------------------------------
  function searchRows(input, table) {
    if (!byId(input) || !byId(table)) return;
    const rows = [...byId(table).tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]);
    byId(input).addEventListener("input", (event) => {
      const query = event.target.value.trim().toLowerCase();
      for (const [row, text] of rows) row.hidden = !text.includes(query);
    });
  }
  function sortable(table) {
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const label = cell.textContent;
      cell.replaceChildren(make("button", { type: "button", class: "sort" }, label));
      cell.addEventListener("click", () => {
        const down = cell.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = (row) => row.cells[column].textContent.trim();
        const order = [...table.tBodies[0].rows].sort((a, b) => value(a).localeCompare(value(b), undefined, { numeric: true }) * (down ? -1 : 1));
        table.tBodies[0].append(...order);
      });
    });
  }
  function wire(form, draw, view) {
    let timer = 0;
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => { draw(); remember(view, form); }, 60); });
    form.addEventListener("reset", () => setTimeout(() => { draw(); remember(view, form); }));
    form.addEventListener("submit", (event) => event.preventDefault());
  }
  document.documentElement.classList.add("js");
  wire(byId("finding-filters"), filterFindings, "findings");
  wire(byId("heat-filters"), drawHeat, "access");
  searchRows("key-search", "key-index");
  searchRows("principal-search", "principal-index");
  searchRows("grant-search", "grant-index");
  for (const id of ["key-index", "principal-index", "grant-index"]) if (byId(id)) sortable(byId(id));
  byId("findings-csv").addEventListener("click", findingsCsv);
  byId("access-csv").addEventListener("click", accessCsv);
  byId("copy-link").addEventListener("click", () => navigator.clipboard.writeText(location.href).then(() => say("Link copied"), () => say(location.href)));
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  byId("why").addEventListener("click", (event) => {
    if (event.target.tagName !== "A") return;
    event.preventDefault(); // the close event strips the pair from the hash first, then the link is followed
    byId("why").addEventListener("close", () => { location.hash = event.target.hash; }, { once: true });
    byId("why").close();
  });
  byId("why").addEventListener("close", () => linkWhy(""));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) {
      const box = document.querySelector(".view.on input[type=search]");
      if (box) { event.preventDefault(); box.focus(); }
    }
  });
  addEventListener("hashchange", route);
  route();
  document.documentElement.dataset.ready = "yes";
})();
