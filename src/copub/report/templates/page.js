"use strict";
// The page's own script: theme, saving of figures, and the table of works. No library, no network.
(function () {
  const byId = (id) => document.getElementById(id);

  // Theme: follows the system until the reader chooses.
  const theme = byId("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
  });

  // Contents: mark the part being read.
  const links = new Map(Array.from(document.querySelectorAll("nav a"), (a) => [a.hash.slice(1), a]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "location");
    }
  }, { rootMargin: "0px 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => watcher.observe(section));

  // A link to a folded part opens it.
  function unfold() {
    const fold = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)))?.querySelector("details.fold");
    if (fold) fold.open = true;
  }
  addEventListener("hashchange", unfold);
  document.addEventListener("click", (event) => {
    if (event.target.closest("a[href^='#']")?.hash === location.hash) unfold();
  });
  unfold();

  // Values of a chart: the mark under the pointer, or the one that the arrow keys reached.
  document.querySelectorAll(".drawing").forEach((drawing) => {
    const tip = drawing.querySelector(".tip");
    let marked = null;
    const marks = () => { // those that are shown, each value once
      const seen = new Set();
      return Array.from(drawing.querySelectorAll("[data-tip]")).filter(
        (mark) => mark.getClientRects().length && !seen.has(mark.dataset.tip) && seen.add(mark.dataset.tip));
    };
    function show(mark) {
      marked?.classList.remove("at");
      marked = mark;
      tip.hidden = !mark;
      if (!mark) return;
      mark.classList.add("at");
      tip.textContent = mark.dataset.tip;
      const box = mark.getBoundingClientRect(), frame = drawing.getBoundingClientRect();
      const middle = box.left + box.width / 2 - frame.left - tip.offsetWidth / 2;
      tip.style.left = Math.max(0, Math.min(middle, frame.width - tip.offsetWidth)) + "px";
      tip.style.top = Math.max(0, box.top - frame.top - tip.offsetHeight - 4) + "px";
    }
    drawing.addEventListener("pointerover", (event) => show(event.target.closest("[data-tip]")));
    drawing.addEventListener("pointerleave", () => show(null));
    drawing.addEventListener("focus", () => { if (drawing.matches(":focus-visible")) show(marks()[0] ?? null); });
    drawing.addEventListener("blur", () => show(null));
    drawing.addEventListener("keydown", (event) => {
      const all = marks(), place = all.indexOf(marked);
      const steps = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: all.length - 1 };
      if (event.key === "Escape") { show(null); return; }
      if (!(event.key in steps) || !all.length) return;
      event.preventDefault();
      show(all[Math.max(0, Math.min(steps[event.key], all.length - 1))]);
    });
  });

  // Saving: a figure as SVG or PNG with its colours resolved, its table as CSV.
  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  function standalone(svg) {
    const copy = svg.cloneNode(true);
    const style = getComputedStyle(document.documentElement);
    const resolve = (value) => value.replace(/var\((--[a-z-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    for (const node of [copy, ...copy.querySelectorAll("*")]) {
      for (const name of ["fill", "stroke"]) {
        const value = node.getAttribute(name);
        if (value && value.includes("var(")) node.setAttribute(name, resolve(value));
      }
    }
    for (const mark of copy.querySelectorAll("[data-tip]")) {
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = mark.dataset.tip;
      mark.append(title);
      mark.removeAttribute("data-tip");
    }
    const box = svg.viewBox.baseVal;
    copy.setAttribute("width", box.width);
    copy.setAttribute("height", box.height);
    copy.setAttribute("font-family", "Liberation Sans, Arial, sans-serif");
    const back = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    back.setAttribute("width", "100%");
    back.setAttribute("height", "100%");
    back.setAttribute("fill", style.getPropertyValue("--page").trim());
    copy.prepend(back);
    return new XMLSerializer().serializeToString(copy);
  }
  function cellText(cell) {
    const data = cell.querySelector("data");
    if (data) return data.value;
    const text = cell.textContent.trim();
    return /^[=+\-@|%\t\r]/.test(text) ? "'" + text : text;
  }
  function tableText(table) {
    const line = (row) => Array.from(row.cells, (cell) => '"' + cellText(cell).replace(/"/g, '""') + '"').join(",");
    return "\ufeff" + Array.from(table.rows, line).join("\r\n") + "\r\n";
  }
  document.querySelectorAll("button[data-save]").forEach((button) => button.addEventListener("click", () => {
    const figure = button.closest("figure");
    const name = "copub-" + button.dataset.name;
    if (button.dataset.save === "csv") {
      save(new Blob([tableText(figure.querySelector("table"))], { type: "text/csv" }), name + ".csv");
      return;
    }
    const svg = figure.querySelector(".wide svg");
    const blob = new Blob([standalone(svg)], { type: "image/svg+xml" });
    if (button.dataset.save === "svg") { save(blob, name + ".svg"); return; }
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = 2 * svg.viewBox.baseVal.width;
      canvas.height = 2 * svg.viewBox.baseVal.height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((png) => save(png, name + ".png"));
      URL.revokeObjectURL(image.src);
    };
    image.src = URL.createObjectURL(blob);
  }));

  // Printing: parts that are closed are opened for it, and closed again.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details:is(.fold, .part, .more):not([open])"));
    opened.forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((part) => { part.open = false; }));

  // The table of works.
  const source = byId("works-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const [YEAR, TITLE, DOI, AREAS, ENTITIES, OWN, LEVEL, TIERS, REASONS, HITS, MORE] = Array(11).keys();
  const words = data.words;
  const entityName = (place) => data.entities[place][0];
  const SIZE = 25, PRINTED = 500;
  const state = { sort: "year", down: true, page: 0, rows: [] };
  const form = byId("filters"), table = byId("explorer"), body = table.tBodies[0];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const number = new Intl.NumberFormat(document.documentElement.lang);

  function make(tag, text, className) {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
  }
  function isolated(text) { return make("bdi", text); }

  const folded = data.works.map((work) => [
    work[TITLE], work[DOI], ...work[ENTITIES].map(entityName), ...work[OWN].map((place) => data.institutions[place]),
  ].join("\n").toLowerCase());

  function options(name, texts, values) {
    const select = form.elements[name];
    texts.forEach((text, place) => {
      const option = make("option", text);
      option.value = values ? values[place] : place;
      select.append(option);
    });
  }
  const years = Array.from(new Set(data.works.map((work) => work[YEAR]))).filter((year) => year !== null).sort((a, b) => b - a);
  options("year", years, years);
  options("area", data.areas);
  options("entity", data.entities.map((entity) => entity[0]));
  options("institution", data.institutions);
  options("level", data.levels);
  options("tier", data.tiers);

  const sortKeys = {
    year: (work) => work[YEAR] ?? -1,
    title: (work) => work[TITLE].toLowerCase(),
    areas: (work) => work[AREAS].map((place) => data.areas[place]).join(),
    institution: (work) => work[ENTITIES].map(entityName).join(),
    level: (work) => work[LEVEL],
    tier: (work) => work[TIERS].map((place) => data.tiers[place]).join(),
  };

  function choose() {
    const value = (name) => form.elements[name].value;
    const terms = value("text").toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = (name) => (value(name) === "" ? null : Number(value(name)));
    const [year, area, entity, own, level, tier] = ["year", "area", "entity", "institution", "level", "tier"].map(wanted);
    const rows = [];
    data.works.forEach((work, place) => {
      if (year !== null && work[YEAR] !== year) return;
      if (area !== null && !work[AREAS].includes(area)) return;
      if (entity !== null && !work[ENTITIES].includes(entity)) return;
      if (own !== null && !work[OWN].includes(own)) return;
      if (level !== null && work[LEVEL] !== level) return;
      if (tier !== null && !work[TIERS].includes(tier)) return;
      if (!terms.every((term) => folded[place].includes(term))) return;
      rows.push(place);
    });
    const key = sortKeys[state.sort], keys = new Map(rows.map((place) => [place, key(data.works[place])]));
    rows.sort((one, other) => {
      const left = keys.get(one), right = keys.get(other);
      const order = left < right ? -1 : left > right ? 1 : 0;
      return (state.down ? -order : order) || one - other;
    });
    state.rows = rows;
    state.page = 0;
    show();
  }

  function show() {
    const pages = Math.max(1, Math.ceil(state.rows.length / SIZE));
    body.replaceChildren(...state.rows.slice(state.page * SIZE, (state.page + 1) * SIZE).map(rowOf));
    byId("matches").textContent = fill(words.matches, { count: number.format(state.rows.length), total: number.format(data.works.length) });
    byId("page").textContent = fill(words.page, { page: number.format(state.page + 1), pages: number.format(pages) });
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page >= pages - 1;
    table.querySelectorAll("th[data-key]").forEach((head) => {
      const active = head.dataset.key === state.sort;
      head.querySelector("span").textContent = active ? (state.down ? " ↓" : " ↑") : "";
      if (active) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function rowOf(place) {
    const work = data.works[place], row = make("tr");
    const open = make("button", undefined, "open");
    open.type = "button";
    open.setAttribute("aria-expanded", "false");
    open.append(isolated(work[TITLE] || words.no_title));
    const title = make("td");
    title.append(open);
    if (work[DOI]) {
      const link = make("a", work[DOI], "doi");
      link.href = "https://doi.org/" + encodeURIComponent(work[DOI]).replace(/%2F/g, "/");
      link.rel = "noopener noreferrer";
      title.append(link);
    }
    const list = (texts) => {
      const cell = make("td");
      texts.forEach((text, position) => { if (position) cell.append(", "); cell.append(isolated(text)); });
      return cell;
    };
    row.append(
      make("td", work[YEAR] ?? "–"), title, list(work[AREAS].map((area) => data.areas[area])),
      list(work[ENTITIES].map(entityName)), make("td", data.levels[work[LEVEL]]), list(work[TIERS].map((tier) => data.tiers[tier])),
    );
    open.addEventListener("click", () => {
      const shown = open.getAttribute("aria-expanded") === "true";
      open.setAttribute("aria-expanded", String(!shown));
      if (shown) row.nextElementSibling.remove();
      else row.after(evidenceOf(work));
    });
    return row;
  }

  function evidenceOf(work) {
    const row = make("tr", undefined, "evidence"), cell = make("td");
    cell.colSpan = Array.from(table.tHead.rows[0].cells).filter((head) => head.offsetParent).length;
    cell.append(make("h3", words.technology), reasonsOf(work), make("h3", words.institutions), hitsOf(work));
    if (work[OWN].length) cell.append(make("h3", words.a), make("p", work[OWN].map((place) => data.institutions[place]).join(" · "), "quiet"));
    row.append(cell);
    return row;
  }
  function marked(item, terms, where) {
    if (!terms.length) return;
    item.append(" ");
    terms.forEach((term, position) => { if (position) item.append(", "); item.append(make("mark", term)); });
    item.append(make("span", " " + where + ".", "quiet"));
  }
  function reasonsOf(work) {
    const list = make("ul");
    for (const [area, technology, score, method, title, abstract, ngrams] of work[REASONS]) {
      const item = make("li");
      item.append(make("strong", data.areas[area]), technology ? ": " + technology : "", ".");
      marked(item, title, words.title_terms);
      marked(item, abstract, words.abstract_terms);
      if (ngrams.length) item.append(make("span", " " + words.ngrams + ": " + ngrams.join(", ") + ".", "quiet"));
      item.append(make("span", " " + score + (method ? " (" + words.method + " " + method + ")" : ""), "quiet"));
      list.append(item);
    }
    return list;
  }
  function hitsOf(work) {
    const list = make("ul");
    for (const [entity, listing, tier, field, snippet, rule, via] of work[HITS]) {
      const item = make("li"), [before, matched, after] = data.snippets[snippet], [name, level] = data.entities[entity];
      item.append(make("strong", name), level ? " (" + level + ")" : "");
      item.append(make("span", " " + data.tiers[tier] + ", " + words.matched + " " + data.fields[field] + ": ", "quiet"));
      const text = isolated("");
      text.append(before, make("mark", matched), after);
      item.append(text, make("br"), make("span", words.list + " " + data.lists[listing]
        + (rule ? "; " + words.rule + " " + rule : "") + (via ? "; " + words.via + " " + via : ""), "quiet"));
      list.append(item);
    }
    if (work[MORE]) list.append(make("li", fill(words.more, { count: number.format(work[MORE]) }), "quiet"));
    return list;
  }

  let wait;
  form.addEventListener("input", (event) => {
    clearTimeout(wait);
    wait = setTimeout(choose, event.target.name === "text" ? 120 : 0);
  });
  form.addEventListener("reset", () => setTimeout(choose, 0));
  form.addEventListener("submit", (event) => event.preventDefault());
  table.tHead.addEventListener("click", (event) => {
    const key = event.target.closest("button[data-sort]")?.dataset.sort;
    if (!key) return;
    state.down = state.sort === key ? !state.down : key === "year";
    state.sort = key;
    choose();
  });
  addEventListener("beforeprint", () => {
    body.replaceChildren(...state.rows.slice(0, PRINTED).map(rowOf));
    if (state.rows.length <= PRINTED) return;
    const counts = { count: number.format(PRINTED), total: number.format(state.rows.length) };
    byId("matches").textContent = fill(words.printed_first, counts);
  });
  addEventListener("afterprint", show);
  byId("previous").addEventListener("click", () => { state.page -= 1; show(); });
  byId("next").addEventListener("click", () => { state.page += 1; show(); });
  form.hidden = false;
  table.hidden = false;
  document.querySelector(".pager").hidden = false;
  choose();
})();
