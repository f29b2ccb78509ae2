"use strict";
// Sorting, searching and paging of tables: DataTables' work. Here is only how it meets the tables of this page, and how
// its state gets into the address and onto paper.
const tables = new Map();
const PAGE = 50;

/** Columns read their text, or what data-order says, never their markup. */
function readable(row) {
  for (const cell of row.cells) {
    cell.dataset.search ??= cell.textContent.replace(/\s+/g, " ").trim();
    cell.dataset.order ??= cell.dataset.search;
  }
}

/** Hands a table over to DataTables, once; `more` are rows beyond those in the page. */
function enhance(id, options = {}, more = []) {
  if (tables.has(id) || !byId(id)) return tables.get(id);
  const table = byId(id);
  for (const row of [...table.tBodies[0].rows, ...more]) readable(row);
  const columns = [...table.tHead.rows[0].cells];
  const api = new DataTable(table, {
    autoWidth: false, order: [], pageLength: PAGE, orderMulti: false,
    layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: "paging" },
    language: { info: "_START_–_END_ of _TOTAL_", infoFiltered: "(filtered from _MAX_)", infoEmpty: "Nothing matches", zeroRecords: "Nothing matches." },
    ...options,
    columnDefs: [...(options.columnDefs ?? []), { targets: columns.flatMap((cell, n) => (cell.classList.contains("no-sort") ? [n] : [])), orderable: false }],
  });
  const fold = () => table.closest(".dt-container").classList.toggle("single", api.page.info().pages <= 1 && api.rows().count() <= PAGE);
  api.on("draw", fold);
  fold();
  if (more.length) api.rows.add(more).draw();
  tables.set(id, api);
  return api;
}

/** Rows of the current view in their order, as arrays of texts under the heads of the columns. */
function rowsInView(id) {
  const heads = [...byId(id).tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const rows = tables.get(id).rows({ search: "applied", order: "applied" }).nodes().toArray();
  return [heads, ...rows.map((row) => [...row.cells].map((cell) => cell.dataset.csv ?? cell.dataset.search))];
}

// A plain list: a search field, a CSV button, and its state (?q=…&sort=2.desc) in the address.
function wireList(view, id, build = () => []) {
  const input = document.querySelector(`[data-search-of="${id}"]`), csv = document.querySelector(`[data-csv-of="${id}"]`);
  function open(state) {
    if (!byId(id)) return;
    const fresh = !tables.has(id), api = enhance(id, {}, fresh ? build() : []);
    if (fresh) api.on("order", () => { if (byId(view).classList.contains("on") && !open.busy) keep(); });
    open.busy = true;
    input.value = state.get("q") ?? "";
    const sort = /^(\d+)\.(asc|desc)$/.exec(state.get("sort") ?? "");
    api.search(input.value).order(sort ? [[Number(sort[1]), sort[2]]] : []).draw();
    open.busy = false;
  }
  function keep() {
    const state = new URLSearchParams(), order = tables.get(id).order()[0];
    if (input.value) state.set("q", input.value);
    if (order && order[1]) state.set("sort", `${order[0]}.${order[1]}`);
    remember(view, state);
  }
  if (byId(id)) {
    input.addEventListener("input", () => { tables.get(id)?.search(input.value).draw(); keep(); });
    csv.addEventListener("click", () => download(`${view}-view.csv`, rowsInView(id)));
  }
  return open;
}

/** Puts the state of a view into the address without a new entry in the history. */
function remember(view, state) {
  const text = state.toString();
  history.replaceState(null, "", `#${view}${text ? `?${text}` : ""}`);
}

// On paper every row counts: those that wait to be built, and those that are not on the page of the moment.
addEventListener("beforeprint", () => {
  if (document.documentElement.dataset.print !== "view") completeTables();
  for (const api of tables.values()) api.page.len(-1).draw(false);
});
addEventListener("afterprint", () => { for (const api of tables.values()) api.page.len(PAGE).draw(false); });
