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
  if (own) openPage(page[1], Number(page[2]));
  else if (page?.[1] === "finding") openFinding(Number(page[2]));
  else if (page) byId(name)?.scrollIntoView({ block: "start" });
  else toTop();
  if (state.get("why")) { const [p, k, cap] = state.get("why").split(".").map(Number); showWhy(p, k, cap); }
}

const standard = (field) => Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
function fill(form, state) {
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") field.checked = state.get(field.name) === field.value;
    else if (state.has(field.name)) field.value = state.get(field.name);
    else if (field.tagName === "SELECT") field.selectedIndex = standard(field);
    else field.value = "";
  }
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
addEventListener("hashchange", route);
route();
document.documentElement.dataset.ready = "yes";
