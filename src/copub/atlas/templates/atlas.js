"use strict";

const ROWS_AT_FIRST = 30, IN_MATRIX = 15, ALL = 0, CRITICAL = 1;
const byId = (id) => document.getElementById(id);
const form = byId("asked"), rowsForm = byId("rows");

/* As copub prints it: of two tenths that are as near, the even one; only quarters of a per cent have two. */
function percent(share) {
  if (Number.isNaN(share)) return "–";
  const value = 100 * share, isTie = (4 * value) % 2 === 1;
  return `${(isTie ? 2 * Math.round((10 * value) / 2) / 10 : value).toFixed(1)}%`;
}

/* Wilson (1927); the ends are exact at 0 and n, as in copub.intervals. */
function wilson(k, n, z) {
  if (!n) return [NaN, NaN];
  const p = k / n, z2 = z * z;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = Math.sqrt(z2 * (Math.max(p * (1 - p), 0) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [k <= 0 ? 0 : Math.max(centre - half, 0), k >= n ? 1 : Math.min(centre + half, 1)];
}

class Numbers {
  constructor(data) {
    Object.assign(this, data);
    this.places = new Map(data.countries.map(([code], place) => [code, place]));
    this.found = new Map();
    this.total = new Array(data.countries.length).fill(0);
    const { works, listed } = data;
    works.a.forEach((a, at) => {
      const rows = [works.start[at], works.start[at + 1] ?? works.of_works.length];
      this.found.set(`${a}-${works.b[at]}`, rows);
      this.found.set(`${works.b[at]}-${a}`, rows);
      for (let row = rows[0]; row < rows[1]; row += 1) {
        if (works.of_area[row] === ALL) {
          this.total[a] += works.of_works[row];
          this.total[works.b[at]] += works.of_works[row];
        }
      }
    });
    listed.a.forEach((a, at) => {
      this.found.set(`${a}-${listed.b[at]}-${listed.list[at]}`, [listed.start[at], listed.start[at + 1] ?? listed.of_works.length]);
    });
  }

  /* The list that counts for institutions of b: that asked for, if it names any there, else none. */
  listFor(asked, b) {
    const list = asked === "" ? this.headline[this.countries[b][0]] : this.lists.indexOf(asked);
    return list !== undefined && this.onList[list].includes(b) ? list : null;
  }

  sum(table, key, column, area, first, last) {
    const rows = this.found.get(key);
    if (!rows) return 0;
    let sum = 0;
    for (let row = rows[0]; row < rows[1]; row += 1) {
      const year = table.of_year[row];
      if (table.of_area[row] === area && year >= first && year <= last) sum += table[column][row];
    }
    return sum;
  }

  /* One share; null where no list names an institution of b and the measure rests on a list. */
  share(a, b, asked) {
    const list = this.listFor(asked.list, b), { area, first, last } = asked;
    if (list === null && asked.measure !== "critical") return null;
    const works = (of) => this.sum(this.works, `${a}-${b}`, "of_works", of, first, last);
    const listed = (column, of) => this.sum(this.listed, `${a}-${b}-${list}`, column, of, first, last);
    const parts = {
      critical: () => [works(area), works(ALL)],
      listed: () => [listed("of_works", ALL), works(ALL)],
      critical_listed: () => [listed("of_works", area), works(ALL)],
      listed_given_critical: () => [listed("of_works", area), works(area)],
      top_level: () => [listed("of_top", area), works(ALL)],
    };
    const [count, of] = parts[asked.measure]();
    const [low, high] = wilson(count, of, this.z);
    return { count, of, share: of ? count / of : NaN, low, high, small: count < this.smallCell || of < this.smallRate };
  }
}

function made(tag, text, attributes = {}) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  return node;
}

function drawn(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  if (text !== undefined) node.textContent = text;
  return node;
}

function bar(one, most) {
  const svg = drawn("svg", { viewBox: "0 0 160 16", "aria-hidden": "true", preserveAspectRatio: "none" });
  if (!Number.isNaN(one.share)) {
    const at = (share) => 4 + (152 * share) / most;
    svg.append(drawn("line", { class: "span", x1: at(one.low), x2: at(Math.min(one.high, most)), y1: 8, y2: 8 }));
    svg.append(drawn("circle", { class: "dot", cx: at(one.share), cy: 8, r: 4 }));
  }
  return svg;
}

function cells(one, most) {
  const number = (text) => made("td", text, { class: "number" });
  const share = number(percent(one.share));
  if (one.small && one.of) share.append(" ", made("span", "small", { class: "mark" }));
  const interval = Number.isNaN(one.low) ? "" : `${percent(one.low)} to ${percent(one.high)}`;
  const drawing = made("td");
  drawing.append(bar(one, most));
  return [number(one.count.toLocaleString("en")), number(one.of.toLocaleString("en")), share, number(interval), drawing];
}

function row(head, one, most) {
  const line = made("tr", undefined, one.small ? { class: "small-number" } : {});
  const first = made("th", typeof head === "string" ? head : undefined, { scope: "row" });
  if (typeof head !== "string") first.append(head);
  line.append(first, ...cells(one, most));
  return line;
}

/* The right end of drawings: every share is left of it, and every interval that is not of small numbers. */
function largest(shares) {
  const known = shares.filter((one) => !Number.isNaN(one.share));
  const sure = known.filter((one) => !one.small);
  return Math.max(0.01, ...known.map((one) => one.share), ...(sure.length ? sure : known).map((one) => one.high));
}

class Page {
  constructor(numbers) {
    this.numbers = numbers;
    this.partner = null;
    this.all = false;
    const most = numbers.total.indexOf(Math.max(...numbers.total));
    form.country.value = numbers.countries[Math.max(most, 0)]?.[0] ?? "";
    form.addEventListener("input", (event) => {
      if (event.target.name === "country") { this.partner = null; this.all = false; }
      this.show();
    });
    rowsForm.addEventListener("input", () => this.showMatrix());
    [form, rowsForm].forEach((one) => one.addEventListener("submit", (event) => event.preventDefault()));
    byId("all-partners").addEventListener("click", () => { this.all = true; this.show(); byId("partner-rows").querySelectorAll("button")[ROWS_AT_FIRST]?.focus(); });
    byId("grid").addEventListener("keydown", (event) => this.move(event));
    byId("grid").addEventListener("click", (event) => this.open(event.target.closest("td[data-a]")));
    window.addEventListener("resize", () => this.showPair());
    this.show();
  }

  get asked() {
    const { measure, list, area, from, to } = form;
    const years = [Number(from.value), Number(to.value)].map((year) => year - this.numbers.firstYear);
    return {
      measure: measure.value, list: list.value, area: area.value ? this.numbers.areas.indexOf(area.value) : CRITICAL,
      first: Math.min(...years), last: Math.max(...years),
    };
  }

  /* The pair of this country and a partner, in the order that the side asks for. */
  sides(own, partner) {
    return form.side.value === "own" ? [partner, own] : [own, partner];
  }

  show() {
    const { numbers, asked } = this, own = numbers.places.get(form.country.value);
    const found = [];
    let without = 0;
    numbers.countries.forEach(([, name], partner) => {
      if (partner === own || !numbers.found.has(`${own}-${partner}`)) return;
      const one = numbers.share(...this.sides(own, partner), asked);
      if (one === null) without += 1;
      else if (one.of || asked.measure === "listed_given_critical") found.push({ partner, name, ...one });
    });
    const orders = {
      works: (x, y) => y.of - x.of, share: (x, y) => (x.of < numbers.smallRate) - (y.of < numbers.smallRate) || y.share - x.share, name: () => 0,
    };
    found.sort((x, y) => orders[form.order.value](x, y) || x.name.localeCompare(y.name, "en"));
    if (!found.some((one) => one.partner === this.partner)) this.partner = found[0]?.partner ?? null;
    const most = largest(found), shown = this.all ? found : found.slice(0, ROWS_AT_FIRST);
    byId("partner-rows").replaceChildren(...shown.map((one) => {
      const button = made("button", one.name, { type: "button", class: "choose", "aria-pressed": one.partner === this.partner });
      button.addEventListener("click", () => this.choose(one.partner));
      return row(button, one, most);
    }));
    byId("all-partners").hidden = shown.length === found.length;
    byId("all-partners").textContent = `Show all ${found.length} partners`;
    const noList = without ? ` ${without} more have no number: no list names an institution there.` : "";
    byId("stated").textContent = `${numbers.countries[own][1]}, ${this.span()}: ${found.length} partners.${noList}`;
    this.showPair();
    this.showMatrix();
  }

  span() {
    const { first, last } = this.asked, year = (place) => place + this.numbers.firstYear;
    return first === last ? `${year(first)}` : `${year(first)} to ${year(last)}`;
  }

  choose(partner) {
    this.partner = partner;
    byId("partner-rows").querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", button.textContent === this.numbers.countries[partner][1]);
    });
    this.showPair();
    byId("pair-title").focus({ preventScroll: true });
    byId("pair").scrollIntoView();
  }

  showPair() {
    const { numbers, asked } = this, own = numbers.places.get(form.country.value);
    if (this.partner === null) {
      byId("pair-title").textContent = "One pair";
      byId("pair-stated").textContent = "No partner has a number here.";
      ["year-rows", "area-rows", "trend"].forEach((id) => byId(id).replaceChildren());
      return;
    }
    const [a, b] = this.sides(own, this.partner);
    const name = (place) => numbers.countries[place][1], list = numbers.listFor(asked.list, b);
    byId("pair-title").textContent = `${name(own)} and ${name(this.partner)}`;
    const measure = form.measure.selectedOptions[0].textContent, one = numbers.share(a, b, asked);
    const means = list === null ? "" : ` Listed institutions are those of ${name(b)} on ${numbers.lists[list]}.`;
    const value = one === null ? "no number" : `${one.count.toLocaleString("en")} of ${one.of.toLocaleString("en")} works, ${percent(one.share)}`;
    byId("pair-stated").textContent = `${measure}, ${this.span()}: ${value}.${means}`;
    const years = [];
    for (let year = asked.first; year <= asked.last; year += 1) {
      const of = numbers.share(a, b, { ...asked, first: year, last: year });
      if (of) years.push({ year: year + numbers.firstYear, ...of });
    }
    const known = years.filter((of) => of.of), most = largest(known);
    byId("year-rows").replaceChildren(...known.map((of) => row(String(of.year), of, most)));
    byId("trend").replaceChildren(...(known.length > 1 ? [this.trend(known, most)] : []));
    const names = [...form.area.options].slice(1);
    const areas = names.map((option) => ({ name: option.textContent, ...numbers.share(a, b, { ...asked, area: numbers.areas.indexOf(option.value) }) }));
    const whole = asked.measure === "listed";
    const widest = largest(areas);
    byId("area-rows").replaceChildren(...(whole || one === null ? [] : areas.map((of) => row(of.name, of, widest))));
    byId("areas-title").textContent = whole ? "By area of technology: this measure has none" : "By area of technology";
  }

  trend(years, most) {
    const wide = Math.min(Math.max(byId("trend").clientWidth, 280), 640), high = 180, left = 46, bottom = 24, svg = drawn("svg", {
      viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": "Share by year with interval; the table below has the numbers",
    });
    const first = years[0].year, span = Math.max(years[years.length - 1].year - first, 1);
    const x = (year) => left + 8 + ((wide - left - 20) * (year - first)) / span;
    const y = (share) => 10 + (high - bottom - 10) * (1 - Math.min(share, most) / most);
    [0, most / 2, most].forEach((share) => {
      svg.append(drawn("line", { class: "axis", x1: left, x2: wide, y1: y(share), y2: y(share) }));
      svg.append(drawn("text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, percent(share)));
    });
    years.forEach((one) => {
      const group = drawn("g", one.small ? { class: "small-number" } : {});
      group.append(drawn("line", { class: "span", x1: x(one.year), x2: x(one.year), y1: y(one.low), y2: y(one.high) }));
      group.append(drawn("circle", { class: "dot", cx: x(one.year), cy: y(one.share), r: 3.5 }));
      svg.append(group);
    });
    const every = Math.ceil(years.length / (wide / 80));
    years.filter((_, at) => at % every === 0).forEach((one) => {
      svg.append(drawn("text", { x: x(one.year), y: high - 6, "text-anchor": "middle" }, one.year));
    });
    return svg;
  }

  showMatrix() {
    const { numbers, asked } = this, group = rowsForm.group.value;
    const ordered = numbers.total.map((works, place) => [works, place]).filter(([works]) => works).sort((x, y) => y[0] - x[0]).map(([, place]) => place);
    const columns = ordered.slice(0, IN_MATRIX), lines = group ? numbers.groups[group] : columns;
    const name = (place) => numbers.countries[place][1];
    const values = lines.map((a) => columns.map((b) => (a === b ? null : numbers.share(a, b, asked))));
    const most = largest(values.flat().filter(Boolean));
    const top = made("tr");
    top.append(made("th", "Country", { scope: "col" }), ...columns.map((b) => made("th", numbers.countries[b][0], { scope: "col", abbr: name(b), title: name(b) })));
    const head = made("thead"), body = made("tbody");
    head.append(top);
    lines.forEach((a, line) => {
      const tr = made("tr");
      tr.append(made("th", name(a), { scope: "row" }), ...columns.map((b, column) => this.cell(a, b, values[line][column], most)));
      body.append(tr);
    });
    byId("grid").replaceChildren(head, body);
    byId("grid").querySelector("td")?.setAttribute("tabindex", "0");
  }

  cell(a, b, one, most) {
    const name = (place) => this.numbers.countries[place][1], pair = `${name(a)} and ${name(b)}`;
    if (a === b) return made("td", "", { class: "none", tabindex: "-1", "aria-label": name(a) });
    if (one === null || !one.of) {
      const why = one === null ? "no list names an institution there" : "no works";
      return made("td", one === null ? "–" : "0", { class: "none", tabindex: "-1", "aria-label": `${pair}: ${why}` });
    }
    const step = one.small ? 0 : Math.min(3, Math.ceil((3 * one.share) / most));
    const label = `${pair}: ${one.count} of ${one.of}, ${percent(one.share)}${one.small ? ", small" : ""}`;
    return made("td", percent(one.share), {
      class: one.small ? "small-number" : `step-${step}`, tabindex: "-1", "data-a": a, "data-b": b, "aria-label": label, title: label,
    });
  }

  move(event) {
    const here = event.target.closest("td");
    if (!here) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.open(here.closest("td[data-a]"));
      return;
    }
    const line = here.parentElement, at = [...line.children].indexOf(here), lines = [...line.parentElement.children];
    const place = lines.indexOf(line);
    const to = {
      ArrowLeft: [place, at - 1], ArrowRight: [place, at + 1], ArrowUp: [place - 1, at], ArrowDown: [place + 1, at],
      Home: [place, 1], End: [place, line.children.length - 1],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = lines[to[0]]?.children[to[1]];
    if (next?.tagName !== "TD") return;
    here.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }

  open(cell) {
    if (!cell) return;
    const { numbers } = this;
    form.country.value = numbers.countries[cell.dataset.a][0];
    form.side.value = "partner";
    this.partner = Number(cell.dataset.b);
    this.show();
    byId("pair-title").focus({ preventScroll: true });
    byId("pair").scrollIntoView();
  }
}

async function start() {
  const packed = Uint8Array.from(atob(byId("numbers").textContent), (sign) => sign.charCodeAt(0));
  const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  window.atlas = new Page(new Numbers(JSON.parse(text)));
}

start().catch((error) => {
  byId("stated").textContent = `This browser cannot open the numbers (${error.message}). A newer one can, and copub atlas show prints them.`;
});
