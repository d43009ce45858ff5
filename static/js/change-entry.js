// Writing a change request: the order's own line grid, before and after side by side as one types, drafts that save themselves.
import { Entry } from "./entry.js";
import { Grid } from "./order-grid.js";

const form = document.getElementById("change-entry");
const data = JSON.parse(document.getElementById("grid-data").textContent);
const words = document.getElementById("grid-words").dataset;
const state = document.getElementById("save-state");
const compare = document.getElementById("compare");
const entry = new Entry(form);
let { number, version } = data;
let edits = 0, savedEdits = 0, saving = null, previewTimer = 0, saveTimer = 0, previews = 0, count = 0;

// Blank rows go along: errors come back by the place of their row.
const body = () => ({ version, order: data.order, header: entry.header(), lines: grid.payload() });

// What was typed without changing anything yet is kept too: a request may begin with its words.
function worthKeeping() {
  const { reason, text } = entry.header();
  return Boolean(reason && (count || number || text.trim()));
}

function changed() {
  edits += 1;
  state.textContent = words.unsaved;
  clearTimeout(previewTimer);
  previewTimer = setTimeout(preview, 300);
  clearTimeout(saveTimer);
  saveTimer = setTimeout(() => save({ quiet: true }), 2500);
}

async function preview() {
  const mine = ++previews;
  const answer = await entry.send(form.dataset.preview, body());
  if (!answer.ok || mine !== previews) return;
  count = answer.data.count;
  grid.facts(answer.data.rows);
  grid.errors(answer.data.errors, { typing: true });
  compare.innerHTML = answer.data.html;
}

// One at a time: a draft that saves itself is not in the way of who presses “save”.
async function save({ quiet = false } = {}) {
  clearTimeout(saveTimer);
  if (saving && quiet) return false;
  while (saving) await saving;
  if (quiet && !worthKeeping()) return false;
  saving = store(quiet);
  try { return await saving; } finally { saving = null; }
}

async function store(quiet) {
  const sent = edits;
  state.textContent = words.saving;
  const answer = await entry.send(form.dataset.save, body());
  if (answer.ok) {
    ({ number, version } = answer.data);
    form.dataset.save = answer.data.save;
    if (!location.pathname.startsWith(answer.data.url)) history.replaceState(null, "", answer.data.edit);
    savedEdits = sent;
    if (edits === sent) { state.textContent = words.saved; grid.errors({}); entry.fieldErrors({}); } else changed();
    entry.fail("");
    return answer.data;
  }
  state.textContent = words.unsaved;
  if (answer.status === 401 || answer.status === 403) { entry.fail(words.signedout); return false; }
  if (answer.status === 0) { if (!quiet) entry.fail(words.offline); return false; }
  if (answer.status === 422 && quiet) { if (edits === sent) entry.refused(state, grid, answer.data, words.unsaved); return false; }
  grid.errors(answer.data.lines || {});
  entry.fieldErrors(answer.data.header);
  entry.fail(answer.data.message || words.wrong);
  form.querySelector(".is-invalid")?.focus();
  return false;
}

const grid = new Grid(form, data, changed);
entry.watch(grid, changed);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  const saved = await save();
  if (saved) location.assign(saved.url);
}, true);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); save(); }
});
window.addEventListener("beforeunload", (event) => { if (edits !== savedEdits && (count || entry.header().text.trim())) event.preventDefault(); });
preview();
