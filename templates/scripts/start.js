"use strict";
// Routes: the address after # names the view and its state, so that a link in a ticket opens the same view.
const VIEWS = ["summary", "findings", "access", "keys", "principals", "grants", "paths", "coverage", "reasons"];
const OWNERS = { key: "keys", principal: "principals", finding: "findings", reason: "reasons" };
const toTop = () => { scrollTo(0, 0); requestAnimationFrame(() => scrollTo(0, 0)); };

const opened = {
  findings: (state, page) => { fill(byId("finding-filters"), page ? new URLSearchParams() : state); filterFindings(); },
  access: (state) => { enhance("matrix", {}, tables.has("matrix") ? [] : matrixRows()); fill(byId("heat-filters"), state); drawHeat(); },
  keys: wireList("keys", "key-index", keyRows),
  principals: wireList("principals", "principal-index", principalRows),
  grants: wireList("grants", "grant-index"),
  coverage: () => { for (const id of ["gap-table", "line-table", "whole-table", "rule-table"]) enhance(id); },
};

/** Brings the rows of every list into the page. */
function completeTables() {
  findingTable();
  enhance("matrix", {}, tables.has("matrix") ? [] : matrixRows());
  for (const [id, build] of [["key-index", keyRows], ["principal-index", principalRows]]) enhance(id, {}, tables.has(id) ? [] : build());
}

const TITLE = document.title;
function route() {
  const [name, query = ""] = location.hash.slice(1).split("?");
  const page = /^(key|principal|finding|reason)-(\d+)$/.exec(name);
  const view = page ? OWNERS[page[1]] : VIEWS.includes(name) ? name : "summary";
  for (const id of VIEWS) byId(id).classList.toggle("on", id === view);
  for (const link of document.querySelectorAll("nav.views a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  for (const open of document.querySelectorAll(".page.on")) open.classList.remove("on");
  const own = Boolean(page) && (page[1] === "key" || page[1] === "principal");
  byId(view).classList.toggle("paged", own);
  const state = new URLSearchParams(query), heading = own ? byId(name)?.querySelector("h2") : byId(`h-${view}`);
  document.title = heading ? `${heading.textContent.trim()} · ${TITLE}` : TITLE;
  if (!own) opened[view]?.(state, page);
  if (!page) toTop();
  if (page ? !turnTo(page[1], Number(page[2])) : name && name !== view) absent(name, view);
  if (state.get("why")) { const [p, k, cap] = state.get("why").split(".").map(Number); showWhy(p, k, cap); }
  else if (byId("why").open) byId("why").close();
  // who came by a link that is out of sight now goes on with the keyboard where the view begins
  if (!byId("why").open && (document.activeElement === document.body || !document.activeElement.checkVisibility())) byId("main").focus({ preventScroll: true });
}
/** Shows what an address names inside its view; false when this report does not have it. */
function turnTo(kind, place) {
  if (kind === "key" || kind === "principal") return openPage(kind, place);
  if (kind === "finding") return openFinding(place);
  byId(`reason-${place}`)?.scrollIntoView({ block: "start" });
  return byId(`reason-${place}`) !== null;
}
/** A link from another report: the list stands in for what is not in this one, and says so. */
function absent(name, view) {
  byId(view).classList.remove("paged");
  opened[view]?.(new URLSearchParams());
  toTop();
  say(`Nothing in this report is at “#${plain(short(name, 60))}”.`);
}

const standard = (field) => Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
function fill(form, state) {
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") field.checked = state.get(field.name) === field.value;
    else if (state.has(field.name)) choose(field, state.get(field.name));
    else if (field.tagName === "SELECT") field.selectedIndex = standard(field);
    else field.value = "";
  }
}
/** Sets a field; a value that no row of this report has is a choice all the same, and nothing matches it. */
function choose(field, value) {
  const known = field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value);
  if (known) field.value = value;
  else if (field.options[0].value === "" && field.name !== "group") { field.add(new Option(`${plain(value)} (0)`, value)); field.value = value; }
  else field.selectedIndex = standard(field);
}
function stateOf(form) {
  const state = new URLSearchParams();
  for (const field of form.elements) {
    if (!field.name || (field.type === "checkbox" && !field.checked)) continue;
    if (field.value && (field.tagName !== "SELECT" || field.selectedIndex !== standard(field))) state.set(field.name, field.value);
  }
  return state;
}
function wire(form, draw, view) {
  let timer = 0;
  const redraw = () => { draw(); remember(view, stateOf(form)); };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(redraw, 25); });
  form.addEventListener("reset", () => setTimeout(redraw));
  form.addEventListener("submit", (event) => event.preventDefault());
}

wire(byId("finding-filters"), filterFindings, "findings");
wire(byId("heat-filters"), drawHeat, "access");
byId("findings-csv").addEventListener("click", findingsCsv);
byId("access-csv").addEventListener("click", accessCsv);
byId("copy-link").addEventListener("click", () => navigator.clipboard.writeText(location.href).then(() => say("Link copied"), () => say(location.href)));
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
// Texts to copy get a button when they come into sight.
document.addEventListener("toggle", (event) => {
  for (const text of event.target.querySelectorAll?.(":scope > pre, :scope > .body > pre") ?? []) {
    if (text.previousElementSibling?.classList.contains("copy")) continue;
    const button = make("button", { type: "button", class: "copy" }, "Copy");
    button.addEventListener("click", () => navigator.clipboard.writeText(text.textContent).then(() => say("Copied"), () => getSelection().selectAllChildren(text)));
    text.before(button);
  }
}, true);
byId("print-view").addEventListener("click", () => {
  document.documentElement.dataset.print = "view";
  print();
  delete document.documentElement.dataset.print;
});
document.addEventListener("keydown", (event) => {
  const box = [...document.querySelectorAll(".view.on input[type=search]")].find((field) => field.checkVisibility());
  if ((event.ctrlKey || event.metaKey) && event.key === "k" && box) { event.preventDefault(); box.focus(); box.select(); }
});
// The address names a view, so that the link past the navigation must not change it.
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); byId("main").focus(); });
addEventListener("hashchange", route);
route();
document.documentElement.dataset.ready = "yes";
