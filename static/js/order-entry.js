// Order entry: keeps header and grid in step with the server. Saves drafts by itself, shows live totals,
// keeps what was typed on this computer until the server has it, and shows both sides of a conflict.
import { Entry } from "./entry.js";
import { Grid } from "./order-grid.js";
import { isEmpty, pasting } from "./order-paste.js";

const form = document.getElementById("order-entry");
const data = JSON.parse(document.getElementById("grid-data").textContent);
const words = document.getElementById("grid-words").dataset;
const state = document.getElementById("save-state");
const entry = new Entry(form);
let { number, version } = data;
let edits = 0, savedEdits = 0, saving = null, previewTimer = 0, saveTimer = 0, previews = 0, blocked = false;

const key = () => `order-entry:${data.user}:${number || "new"}`;
const keep = () => { try { localStorage.setItem(key(), JSON.stringify({ header: entry.header(), names: names(), left: document.getElementById("paste-left-text").value, lines: grid.lines(), version })); } catch { /* full or forbidden */ } };
const forget = (which = key()) => { try { localStorage.removeItem(which); } catch { /* forbidden */ } };

// What the chosen ones are called, so that a draft brought back names them.
const names = () => Object.fromEntries([...form.querySelectorAll("select[name]")].filter((one) => one.tomselect && one.value).map((one) => [one.name, one.tomselect.options[one.value]?.text || one.value]));
const filled = () => grid.lines().some((line) => !isEmpty(line));
const body = () => ({ number, version, header: entry.header(), lines: grid.payload() });

function changed() {
  edits += 1;
  state.textContent = words.unsaved;
  keep();
  clearTimeout(previewTimer);
  previewTimer = setTimeout(preview, 250);
  clearTimeout(saveTimer);
  if (!blocked) saveTimer = setTimeout(() => save({ quiet: true }), 2500);
}

async function preview() {
  const mine = ++previews;
  const answer = await entry.send(form.dataset.preview, body());
  if (!answer.ok || mine !== previews) return;
  const found = answer.data;
  grid.facts(found.rows);
  grid.errors(found.errors, { typing: true });
  entry.totals(found);
  promised(found.promise);
  entry.warnings(found.warnings, "warning");
}

// The earliest day of the order with its reason; one press takes it over as the promised date.
function promised(found) {
  const box = document.getElementById("entry-promise"), take = box.querySelector("button");
  box.hidden = !found;
  if (!found) return;
  box.querySelector("span").textContent = found.text;
  take.dataset.date = found.date;
  take.hidden = !found.date || found.date === form.querySelector("[name=promised_date]").value;
}

// One at a time: a draft that saves itself is not in the way of who presses “save”.
async function save({ quiet = false } = {}) {
  clearTimeout(saveTimer);
  if (saving && quiet) return false;
  while (saving) await saving;
  if (quiet && (!entry.header().customer && !data.customer || !filled())) return false;
  saving = store(quiet);
  try { return await saving; } finally { saving = null; }
}

async function store(quiet) {
  const sent = edits, before = key();
  state.textContent = words.saving;
  const answer = await entry.send(form.dataset.save, body());
  if (answer.ok) {
    ({ number, version } = answer.data);
    form.dataset.save = answer.data.save;
    if (!location.pathname.startsWith(answer.data.url)) history.replaceState(null, "", answer.data.edit);
    forget(before);
    savedEdits = sent;
    if (edits === sent) { forget(); state.textContent = words.saved; grid.errors({}); entry.fieldErrors({}); } else changed();
    entry.fail("");
    return answer.data;
  }
  state.textContent = words.unsaved;
  if (answer.status === 409 && answer.data.theirs) { conflict(answer.data); return false; }
  if (answer.status === 401 || answer.status === 403) { entry.fail(words.signedout); return false; }
  if (answer.status === 0) { if (!quiet) entry.fail(words.offline); return false; }
  if (answer.status === 422 && quiet) { if (edits === sent) entry.refused(state, grid, answer.data, words.unsaved); return false; }
  grid.errors(answer.data.lines || {});
  entry.fieldErrors(answer.data.header);
  entry.fail(answer.data.message || words.wrong);
  form.querySelector(".is-invalid")?.focus();
  return false;
}

function conflict(found) {
  blocked = true;
  const dialog = document.getElementById("conflict-dialog");
  document.getElementById("conflict-text").textContent = found.message;
  const rows = document.getElementById("conflict-rows");
  rows.replaceChildren();
  const row = (name, mine, theirs) => {
    if (String(mine ?? "") === String(theirs ?? "")) return;
    const line = rows.insertRow();
    for (const text of [name, mine, theirs]) line.insertCell().textContent = text ?? "";
  };
  const mine = entry.header();
  for (const [name, value] of Object.entries(found.theirs.header)) {
    const label = form.querySelector(`label[for="id_${name}"]`)?.textContent.trim();
    if (label) row(label, mine[name], value);
  }
  const ours = grid.lines().filter((line) => !isEmpty(line));
  const text = (line) => line && [line.facts?.text, line.description, `${line.quantity} ${line.unit}`, line.unit_price, line.discount_percent && `−${line.discount_percent} %`].filter(Boolean).join(" · ");
  for (let place = 0; place < Math.max(ours.length, found.theirs.lines.length); place += 1) row(`${words.line} ${place + 1}`, text(ours[place]), text(found.theirs.lines[place]));
  dialog.showModal();
  dialog.onclick = async (event) => {
    const choice = event.target.closest("[data-conflict]")?.dataset.conflict;
    if (!choice) return;
    dialog.close();
    if (choice === "close") return;
    blocked = false;
    version = found.version;
    if (choice === "theirs") {
      for (const [name, value] of Object.entries(found.theirs.header)) { const input = form.querySelector(`[name="${name}"]`); if (input) input.value = value; }
      grid.fill(found.theirs.lines);
      savedEdits = edits;
      forget();
      state.textContent = words.saved;
      preview();
    } else await save();
  };
}

async function customerChosen(pk, { keepTerms = false } = {}) {
  const place = document.getElementById("credit");
  place.textContent = "";
  if (!pk) return;
  const answer = await fetch(`${form.dataset.customer}${pk}/`);
  if (!answer.ok) return;
  const found = await answer.json();
  const contact = form.querySelector("[name=contact]");
  const chosen = contact.value || String(data.contact || "");
  contact.replaceChildren(new Option("", ""), ...found.contacts.map((one) => new Option(one.text, one.value)));
  contact.value = chosen;
  if (contact.value !== chosen) contact.value = "";
  if (!keepTerms) {
    for (const [name, value] of Object.entries(found.terms)) {
      const input = name === "customer" ? null : form.querySelector(`[name="${name}"]`);
      if (!input) continue;
      if (input.tagName === "SELECT" && ![...input.options].some((one) => one.value === value)) input.append(new Option(value, value));
      input.value = value;
    }
  }
  if (found.credit.limit) place.textContent = `${words.limit}: ${found.credit.limit} ${found.credit.currency} · ${words.used}: ${found.credit.used} · ${found.credit.left} ${words.left}`;
}

function restore() {
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(key())); } catch { /* nothing that can be read */ }
  if (!kept || !kept.lines?.some((line) => !isEmpty(line))) return;
  const box = document.getElementById("entry-restore");
  box.hidden = false;
  box.querySelector("[data-restore]").addEventListener("click", () => {
    for (const [name, value] of Object.entries(kept.header)) {
      const input = form.querySelector(`[name="${name}"]`);
      if (!input) continue;
      if (input.tomselect) { input.tomselect.addOption({ value, text: kept.names?.[name] || value }); input.tomselect.setValue(value, true); } else input.value = value;
    }
    grid.fill(kept.lines);
    document.getElementById("paste-left-text").value = kept.left || "";
    document.getElementById("paste-left").hidden = !kept.left;
    box.hidden = true;
    changed();
  });
  box.querySelector("[data-forget]").addEventListener("click", () => { forget(); box.hidden = true; });
}

const grid = new Grid(form, data, changed);
pasting(form, grid, (...what) => entry.send(...what));
document.getElementById("template-choice")?.addEventListener("change", async (event) => {
  const pk = event.target.value;
  event.target.value = "";
  if (!pk) return;
  const answer = await fetch(`${form.dataset.template}${pk}/?currency=${encodeURIComponent(form.querySelector("[name=currency]")?.value || "")}`);
  if (!answer.ok) { entry.fail(words.offline); return; }
  // A row that nothing was typed into makes room; what stands there stays.
  for (const row of grid.rows()) if (isEmpty(grid.read(row))) { grid.specRow(row)?.remove(); row.remove(); }
  const added = (await answer.json()).lines.map((line) => grid.add(line));
  if (added.length) grid.input(added[0], "quantity").focus();
  changed();
});
document.querySelector("#entry-promise button").addEventListener("click", (event) => {
  const input = form.querySelector("[name=promised_date]");
  input.value = event.target.closest("button").dataset.date;
  input.focus();
  event.target.closest("button").hidden = true;
  changed();
});
entry.watch(grid, changed);
form.querySelector("[name=customer]")?.addEventListener("change", (event) => customerChosen(event.target.value).then(changed));
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  const saved = await save();
  if (saved) location.assign(saved.url);
}, true);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); save(); }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); form.requestSubmit(); }
});
window.addEventListener("beforeunload", (event) => { if (edits !== savedEdits && filled()) event.preventDefault(); });
if (data.customer) customerChosen(data.customer, { keepTerms: true });
restore();
if (number || data.lines.length) preview();
// Where the customer is known one goes on with the lines: the list of customers would open over the fields.
if (data.customer) grid.input(grid.rows()[0], "product").focus({ preventScroll: true });
else (form.querySelector("[name=customer]").tomselect || form.querySelector("[name=customer]")).focus();
