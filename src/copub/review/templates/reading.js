(() => {
"use strict";
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const ONE = [["yes", "Yes", "y"], ["no", "No", "n"], ["cannot tell", "Cannot tell", "t"]];
const MANY = "1234567890abcdefgh";
const UNDOS = 500; // answers that can be taken back: browsers keep about 5 MB
const IDLE = 300;  // seconds on one item after which the reader is taken to be away
const questions = new Map(data.questions.map((question) => [question.id, question]));
const places = new Map(data.items.map((item, place) => [item.id, place]));

let state = null;  // what a reader made: reader, at, answers by item, past (for undo), log
let current = "";  // id of the question that keys answer
let since = 0;     // when the item came into view; 0 while the page is hidden
let spent = 0;     // seconds on the item before that
let unsaved = 0;
let isKept = true; // whether the browser keeps the state

const make = (tag, text = "", more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
const item = () => data.items[state.at];
const answersOf = (one) => state.answers[one.id] ?? {};
const isRead = (one) => one.ask.length > 0 && asked(one).every((question) => isAnswered(question, one));
const number = (value) => value.toLocaleString("en");

function asked(one) {
  const given = answersOf(one);
  return one.ask.map((id) => questions.get(id)).filter(({ when }) => !when || given[when[0]] === when[1]);
}
function isAnswered(question, one) {
  const given = answersOf(one)[question.id];
  return question.kind === "many" ? Boolean(given?.length) : Boolean(given);
}

// ---- the state of a reader, kept in this browser

const placeOf = (reader) => `copub reading ${data.page} ${reader}`;
function keep() {
  try {
    localStorage.setItem(placeOf(state.reader), JSON.stringify(state));
    isKept = true;
  } catch {
    isKept = false;
    tell("This browser keeps nothing: save a file before you close the page.", true);
  }
}
function begin(reader) {
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(placeOf(reader))); } catch { kept = null; }
  state = kept ?? { reader, at: 0, answers: {}, past: [], log: [] };
  $("start").hidden = true; $("reading").hidden = false; $("leave").hidden = false;
  const read = data.items.filter(isRead).length;
  show(kept ? state.at : 0);
  tell(read ? `${number(read)} read before by ${reader}; the answers were kept in this browser.` : `Reader: ${reader}.`);
}
function change(id, made, why) {
  const now = new Date();
  state.past.push([id, state.answers[id] ?? null, state.at]);
  state.answers[id] = { ...made, date: localDate(now), at: now.getTime() };
  state.log.push([now.toISOString(), id, why, made[why] ?? made]);
  if (state.past.length > UNDOS) state.past.shift();
  unsaved += 1;
  keep();
}
function localDate(now) {
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
function elapsed() {
  return since ? Math.min((Date.now() - since) / 1000, IDLE) : 0;
}
function timed(given) {
  const seconds = (given.seconds ?? 0) + spent + elapsed();
  since = Date.now();
  spent = 0;
  return { ...given, seconds: Math.round(10 * seconds) / 10 };
}

// ---- answering

function answer(question, value) {
  const one = item(), given = timed(answersOf(one));
  given[question.id] = value;
  for (const other of one.ask.map((id) => questions.get(id))) {
    if (other.when && given[other.when[0]] !== other.when[1]) delete given[other.id];
  }
  change(one.id, given, question.id);
  if (isKept) tell("");
  if (question.kind === "many") return draw();
  proceed(question);
}
function toggle(question, area) {
  const given = answersOf(item())[question.id] ?? [];
  answer(question, given.includes(area) ? given.filter((id) => id !== area) : [...given, area].sort());
}
function proceed(question) {
  const one = item();
  if (!isAnswered(question, one)) {
    return tell(question.kind === "many" ? "Mark at least one area, or answer no." : "Answer the question first.", true);
  }
  const rest = asked(one), after = rest.slice(rest.indexOf(question) + 1);
  const open = after.find((next) => !isAnswered(next, one)) ?? rest.find((next) => !isAnswered(next, one));
  if (open) { current = open.id; draw(); return; }
  advance();
}
function advance() {
  const open = [...data.items.slice(state.at + 1), ...data.items.slice(0, state.at)].find((one) => !isRead(one));
  if (open) return show(places.get(open.id));
  draw();
  tell(`All ${number(data.items.length)} are read. Save the file and give it to copub review import.`);
}
function undo() {
  const last = state.past.pop();
  if (!last) return tell("There is nothing to undo.");
  const [id, before, at] = last;
  if (before) state.answers[id] = { ...before, at: Date.now() };
  else if (id in state.answers) state.answers[id] = { date: localDate(new Date()), at: Date.now() };
  state.log.push([new Date().toISOString(), id, "undo", before]);
  unsaved += 1;
  keep();
  show(at);
  tell("The last answer was taken back.");
}
function step(by) {
  show(Math.max(0, Math.min(data.items.length - 1, state.at + by)));
}
function choose() {
  const rest = asked(item()), at = rest.findIndex(({ id }) => id === current);
  current = rest[(at + 1) % rest.length].id;
  draw();
}

// ---- showing; every text of a work is written as text, never as markup

function show(at) {
  state.at = at;
  since = Date.now();
  spent = 0;
  const one = item(), rest = asked(one);
  current = (rest.find((question) => !isAnswered(question, one)) ?? rest[0]).id;
  $("meta").textContent = [`${number(at + 1)} of ${number(data.items.length)}`, one.meta].filter(Boolean).join(" · ");
  $("title").textContent = one.title;
  $("text").textContent = one.text;
  $("lines").replaceChildren(...one.lines.map((line) => make("li", line)));
  $("lines-head").hidden = !one.lines.length;
  $("note").value = answersOf(one).note ?? "";
  draw();
  window.scrollTo(0, 0);
  $("title").focus({ preventScroll: true });
  keep();
}
function draw() {
  const one = item(), given = answersOf(one), focused = document.activeElement?.dataset?.focus;
  $("questions").replaceChildren(...asked(one).map((question) => fieldset(question, given[question.id])));
  if (focused) $("questions").querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  const question = questions.get(current);
  const areas = question.kind === "many" ? data.areas.map(({ name, rule }) => rule ? `${name}: ${rule}` : name) : [];
  $("rule").replaceChildren(...[...question.rules, ...areas].map((rule) => make("li", rule)));
  $("names").hidden = !data.names.length || !question.names;
  $("undo").disabled = !state.past.length;
  $("back").disabled = state.at === 0;
  $("next").disabled = state.at === data.items.length - 1;
  $("next").textContent = isRead(one) ? "Next" : "Skip";
  progress();
}
function fieldset(question, given) {
  const box = make("fieldset"), row = make("div", "", { className: "answers" });
  if (question.id === current) box.classList.add("current");
  box.append(make("legend", question.text.replace("{of}", () => item().of)), row);
  const add = (label, key, pressed, focus, act) => {
    const button = make("button", `${label} `, { type: "button" });
    button.dataset.focus = `${question.id} ${focus}`;
    if (pressed !== null) button.setAttribute("aria-pressed", String(pressed));
    if (key) button.append(make("kbd", key.toUpperCase()));
    button.addEventListener("click", () => { current = question.id; act(); });
    row.append(button);
  };
  if (question.kind === "one") {
    for (const [value, label, key] of ONE) add(label, key, given === value, value, () => answer(question, value));
  } else if (question.kind === "many") {
    row.classList.add("many");
    data.areas.forEach((area, place) => {
      add(area.name, MANY[place] ?? "", (given ?? []).includes(area.id), area.id, () => toggle(question, area.id));
    });
    add("Continue", "enter", null, "continue", () => proceed(question));
  } else {
    const field = make("input", "", { id: "pick", value: nameOf(given) });
    const list = make("datalist", "", { id: "known" });
    list.append(...data.names.map(({ name }) => make("option", "", { value: name })));
    field.setAttribute("list", "known");
    field.setAttribute("aria-label", question.text);
    field.addEventListener("change", () => {
      const found = data.names.find(({ name }) => name === field.value.trim());
      if (found) answer(question, found.id);
      else tell("Choose one of the names of the lists.", true);
    });
    row.append(field, list);
  }
  return box;
}
const nameOf = (id) => data.names.find((known) => known.id === id)?.name ?? "";
function progress() {
  const read = data.items.filter(isRead), left = data.items.length - read.length;
  const seconds = read.map((one) => answersOf(one).seconds ?? 0);
  const each = seconds.reduce((sum, one) => sum + one, 0) / (read.length || 1);
  const minutes = Math.ceil(left * each / 60);
  $("progress").textContent = `${number(read.length)} of ${number(data.items.length)} read` +
    (read.length > 4 && left ? `, about ${number(minutes)} min left` : "");
  const width = data.strata.length ? widthOf(counted()) : null, aim = data.aim;
  const enough = aim !== null && width !== null && width <= aim;
  $("width").textContent = !data.strata.length ? "" : width === null
    ? "The interval can be stated after a few more works"
    : `Interval now ${points(width)} wide` + (aim === null ? "" : enough ? `: enough for ${points(aim)}` : `, aim ${points(aim)}`);
  $("width").classList.toggle("enough", enough);
}
const points = (share) => `${(100 * share).toFixed(1)} points`;
function tell(text, warning = false) {
  $("status").textContent = text;
  $("status").classList.toggle("warning", warning);
}

// ---- the width of the interval, as copub.review.width computes it

function counted() {
  const strata = data.strata.map(([size, group]) => ({ size, group, read: 0, yes: 0 }));
  for (const one of data.items) {
    const given = answersOf(one), stated = data.target.map((id) => given[id]);
    if (one.stratum === null || !stated.every((value) => value === "yes" || value === "no")) continue;
    strata[one.stratum].read += 1;
    strata[one.stratum].yes += stated.every((value) => value === "yes") ? 1 : 0;
  }
  const groups = new Map();  // a stratum that nobody read joins the others of its group
  for (const stratum of strata) groups.set(stratum.group, [...groups.get(stratum.group) ?? [], stratum]);
  return [...groups.values()].flatMap((group) => group.every(({ read }) => read) ? group : [group.reduce((sum, one) => (
    { size: sum.size + one.size, read: sum.read + one.read, yes: sum.yes + one.yes }))]);
}
function widthOf(strata) {
  if (!strata.every(({ read }) => read)) return null;
  const works = strata.reduce((sum, { size }) => sum + size, 0);
  const grid = Math.max(1, Math.ceil(works / 4000));  // works per step: fine enough for a hundredth of a point
  let total = [1];
  for (const { size, read, yes } of strata) {
    if (size > read) total = convolved(total, binned(betaBinomial(size - read, yes + data.prior[0], read - yes + data.prior[1]), grid));
  }
  const sum = total.reduce((all, one) => all + one, 0), tail = (1 - data.confidence) / 2;
  return grid * (quantile(total, sum * (1 - tail)) - quantile(total, sum * tail)) / data.of;
}
function betaBinomial(n, a, b) {
  // in proportion only: from the likeliest number outwards, each from its neighbour
  const mode = a < 1 ? 0 : Math.min(n, Math.floor(n * (a - 1) / Math.max(a + b - 2, 1e-9)));
  const up = (k) => (n - k) * (k + a) / ((k + 1) * (n - k - 1 + b));
  const found = new Array(n + 1).fill(0);
  found[mode] = 1;
  for (let k = mode; k < n; k += 1) found[k + 1] = found[k] * up(k);
  for (let k = mode; k > 0; k -= 1) found[k - 1] = found[k] / up(k - 1);
  return found;
}
function binned(found, grid) {
  const sums = new Array(Math.ceil(found.length / grid)).fill(0);
  found.forEach((value, k) => { sums[Math.floor(k / grid)] += value; });
  return sums;
}
function convolved(one, other) {
  const sums = new Array(one.length + other.length - 1).fill(0), most = Math.max(...other), all = Math.max(...one);
  one.forEach((value, k) => {
    if (value < 1e-12 * all) return;
    for (let j = 0; j < other.length; j += 1) if (other[j] > 1e-12 * most) sums[k + j] += value * other[j];
  });
  return sums;
}
function quantile(total, wanted) {
  let below = 0;
  for (let k = 0; k < total.length; k += 1) {
    below += total[k];
    if (below >= wanted) return k;
  }
  return total.length - 1;
}

// ---- files

function fileOf() {
  const readings = data.items.filter(({ id }) => id in state.answers).map(({ id }) => {
    const { note = "", date, seconds = 0, at, ...answers } = state.answers[id];
    return { id, answers, note, date, seconds, at };
  });
  const { page, study, run, what, draw, third_look, codebook } = data;
  return { copub: "reading", format: 1, page, study, run, what, draw, third_look, codebook, reader: state.reader,
    items: data.items.map(({ id }) => id), readings, log: state.log };
}
function saveFile() {
  if (!state) return tell("Write your name first.", true);
  const link = make("a"), reader = state.reader.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(fileOf(), null, 1)], { type: "application/json" }));
  link.download = `copub-reading-${data.study}-${reader || "reader"}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  unsaved = 0;
  tell(`Saved: ${link.download}`);
}
async function loadFile(file) {
  if (!state) return tell("Write your name first.", true);
  let given;
  try { given = JSON.parse(await file.text()); } catch { return tell("This file is no reading.", true); }
  if (given?.copub !== "reading" || !Array.isArray(given.readings)) return tell("This file is no reading.", true);
  if (["study", "what", "third_look"].some((name) => given[name] !== data[name])) {
    return tell("This file belongs to another study or another kind of page.", true);
  }
  if (given.reader !== state.reader) return tell(`This file is of another reader: ${given.reader}.`, true);
  const tally = { new: 0, changed: 0, kept: 0 };
  for (const { id, answers, note, date, seconds, at } of given.readings) {
    if (!places.has(id)) continue;
    const before = state.answers[id];
    if (before && !(at > before.at)) { tally.kept += 1; continue; }
    const made = { ...clean(answers), note: String(note ?? "").slice(0, 2000), seconds: Number(seconds) || 0 };
    change(id, made, "loaded");
    state.answers[id] = { ...made, date: String(date), at: Number(at) };
    tally[before ? "changed" : "new"] += 1;
  }
  keep();
  show(state.at);
  advance();
  tell(`Loaded: ${tally.new} new, ${tally.changed} changed, ${tally.kept} as they were here.`);
}
function clean(answers) {
  const fit = ([id, value]) => {
    const kind = questions.get(id)?.kind;
    return kind === "one" ? ONE.some(([known]) => known === value) : kind === "many" ? Array.isArray(value) : Boolean(kind);
  };
  return Object.fromEntries(Object.entries(answers ?? {}).filter(fit));
}

// ---- controls

$("start").addEventListener("submit", (event) => {
  event.preventDefault();
  const reader = $("reader").value.trim().replace(/\s+/g, " ");
  if (reader) begin(reader);
});
$("leave").addEventListener("click", () => {
  state = null;
  $("start").hidden = false; $("reading").hidden = true; $("leave").hidden = true;
  $("reader").value = "";
  $("reader").focus();
  $("progress").textContent = `${number(data.items.length)} to read`;
  $("width").textContent = "";
  tell("");
});
$("back").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));
$("undo").addEventListener("click", undo);
$("save").addEventListener("click", saveFile);
$("load").addEventListener("change", async (event) => {
  if (event.target.files.length) await loadFile(event.target.files[0]);
  event.target.value = "";
});
$("note").addEventListener("change", () => {
  change(item().id, { ...timed(answersOf(item())), note: $("note").value.trim() }, "note");
  draw();
});
$("find").addEventListener("input", () => {
  const wanted = $("find").value.trim().toLowerCase();
  const found = wanted ? data.names.filter(({ name, also }) => `${name} ${also}`.toLowerCase().includes(wanted)) : [];
  const lines = found.slice(0, 20).map(({ name, level }) => make("li", level ? `${name} (${level})` : name));
  $("found").replaceChildren(...(wanted && !lines.length ? [make("li", "No such name on the lists.")] : lines));
});
document.addEventListener("keydown", (event) => {
  if (!state || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target, typing = target.matches("textarea, input:not([type=checkbox])");
  if (typing) {
    if (event.key === "Escape") { target.blur(); $("title").focus(); }
    return;
  }
  if (!$("keys").checked) return;
  const key = event.key.toLowerCase(), question = questions.get(current);
  const value = question.kind === "one" && ONE.find(([, , known]) => known === key)?.[0];
  const area = question.kind === "many" && data.areas[MANY.indexOf(key)];
  if (value) answer(question, value);
  else if (area && MANY.includes(key)) toggle(question, area.id);
  else if (key === "enter" && !target.matches("button, summary, label, input")) proceed(question);
  else if (key === "u") undo();
  else if (key === "s") saveFile();
  else if (key === "o") $("note").focus();
  else if (key === "q") choose();
  else if (key === "arrowleft") step(-1);
  else if (key === "arrowright") step(1);
  else return;
  event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) spent += elapsed();
  since = document.hidden ? 0 : Date.now();
});
window.addEventListener("beforeunload", (event) => {
  if (unsaved && !isKept) event.preventDefault();  // nothing but this page holds the answers
});
$("reader").focus();
if (window.matchMedia("(max-width: 55.99rem)").matches) $("rules").open = false;
})();
