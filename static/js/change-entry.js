// Writing a change request: the order's own line grid, before and after side by side as one types, drafts that save themselves.
import { Grid } from "./order-grid.js";

const form = document.getElementById("change-entry");
const data = JSON.parse(document.getElementById("grid-data").textContent);
const words = document.getElementById("grid-words").dataset;
const state = document.getElementById("save-state");
const failure = document.getElementById("entry-error");
const compare = document.getElementById("compare");
let { number, version } = data;
let edits = 0, savedEdits = 0, saving = false, previewTimer = 0, saveTimer = 0, previews = 0, count = 0;

async function send(url, body) {
  let answer;
  try {
    answer = await fetch(url, { method: "POST", credentials: "same-origin", redirect: "manual", headers: { "Content-Type": "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value }, body: JSON.stringify(body) });
  } catch { return { ok: false, status: 0, data: {} }; }
  if (answer.type === "opaqueredirect" || answer.status === 401) return { ok: false, status: 401, data: {} };
  let parsed = {};
  try { parsed = await answer.json(); } catch { /* a page instead of JSON */ }
  return { ok: answer.ok, status: answer.status, data: parsed };
}

function header() {
  const found = {};
  for (const input of form.querySelectorAll("[name]")) {
    if (input.closest("table") || input.name === "csrfmiddlewaretoken") continue;
    if (input.type === "checkbox") { if (input.checked) found[input.name] = "on"; } else found[input.name] = input.value;
  }
  return found;
}
const isBlank = (line) => !line.line && !line.product && !line.typed && !line.description && !line.quantity && !line.unit_price;
const body = () => ({ version, header: header(), lines: grid.payload().filter((line) => !isBlank(line)) });

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
  const answer = await send(form.dataset.preview, body());
  if (!answer.ok || mine !== previews) return;
  count = answer.data.count;
  compare.innerHTML = answer.data.html;
}

function fieldErrors(found) {
  for (const old of form.querySelectorAll(".field-error")) old.remove();
  for (const input of form.querySelectorAll("[name].is-invalid")) { input.classList.remove("is-invalid"); input.removeAttribute("aria-invalid"); }
  for (const [name, texts] of Object.entries(found || {})) {
    const input = form.querySelector(`[name="${name}"]`);
    if (!input) continue;
    input.classList.add("is-invalid");
    input.setAttribute("aria-invalid", "true");
    const text = document.createElement("div");
    text.className = "invalid-feedback d-block field-error";
    text.id = `field-error-${name}`;
    text.textContent = texts.join(" ");
    input.setAttribute("aria-describedby", text.id);
    (input.closest(".mb-3") || input.parentElement).append(text);
  }
}

function fail(text) {
  failure.textContent = text;
  failure.hidden = !text;
  if (text) failure.focus();
}

async function save({ quiet = false } = {}) {
  clearTimeout(saveTimer);
  if (saving || (quiet && (!header().reason || !count))) return false;
  saving = true;
  const sent = edits;
  state.textContent = words.saving;
  const answer = await send(form.dataset.save, body());
  saving = false;
  if (answer.ok) {
    ({ number, version } = answer.data);
    form.dataset.save = answer.data.save;
    if (!location.pathname.startsWith(answer.data.url)) history.replaceState(null, "", answer.data.edit);
    savedEdits = sent;
    if (edits === sent) { state.textContent = words.saved; grid.errors({}); fieldErrors({}); } else changed();
    fail("");
    return answer.data;
  }
  state.textContent = words.unsaved;
  if (answer.status === 401 || answer.status === 403) { fail(words.signedout); return false; }
  if (answer.status === 0) { if (!quiet) fail(words.offline); return false; }
  if (answer.status === 422 && quiet) return false;
  grid.errors(answer.data.lines || {});
  fieldErrors(answer.data.header);
  fail(answer.data.message || words.wrong);
  form.querySelector(".is-invalid")?.focus();
  return false;
}

const grid = new Grid(form, data, changed);
form.querySelector("[data-add]").addEventListener("click", () => { grid.input(grid.add(), "product").focus(); });
for (const input of form.querySelectorAll("[name]")) { input.addEventListener("input", changed); input.addEventListener("change", changed); }
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  const saved = await save();
  if (saved) location.assign(saved.url);
}, true);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); save(); }
});
window.addEventListener("beforeunload", (event) => { if (edits !== savedEdits && count) event.preventDefault(); });
if (number) preview();
