// An invoice by hand: the line grid of order entry with the header of a document. Nothing is saved until one says so;
// what is typed stays on this computer until the server has it.
import { Entry } from "./entry.js";
import { Grid } from "./order-grid.js";

const form = document.getElementById("invoice-entry");
const data = JSON.parse(document.getElementById("grid-data").textContent);
const words = document.getElementById("grid-words").dataset;
const entry = new Entry(form);
const once = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
let timer = 0, asked = 0, dirty = false, saving = false;

function adjustments() {
  return [...document.querySelectorAll("#adjustments tbody tr")].map((row) => Object.fromEntries([...row.querySelectorAll("[data-adjust]")].map((input) => [input.dataset.adjust, input.value])));
}

const body = () => ({ version: data.version, key: once, header: entry.header(), lines: grid.payload(), adjustments: adjustments() });

function changed() {
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(preview, 250);
}

async function preview() {
  const mine = ++asked;
  const answer = await entry.send(form.dataset.preview, body());
  if (!answer.ok || mine !== asked) return;
  grid.facts(answer.data.rows);
  entry.totals(answer.data);
  entry.warnings(answer.data.warnings, "info");
}

// What is wrong with an allowance or charge stands at its field, and the box that holds them opens.
function adjustmentErrors(found) {
  const box = document.getElementById("adjustments");
  for (const old of box.querySelectorAll(".row-error")) old.remove();
  for (const input of box.querySelectorAll(".is-invalid")) { input.classList.remove("is-invalid"); input.removeAttribute("aria-invalid"); }
  const rows = box.querySelectorAll("tbody tr");
  for (const [place, fields] of Object.entries(found || {})) {
    for (const [name, texts] of Object.entries(fields)) {
      const input = rows[Number(place)]?.querySelector(`[data-adjust="${name}"]`);
      if (!input) continue;
      const text = document.createElement("div");
      text.className = "row-error";
      text.id = `adjust-error-${place}-${name}`;
      text.textContent = texts.join(" ");
      input.classList.add("is-invalid");
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", text.id);
      input.after(text);
      box.closest("details").open = true;
    }
  }
}

async function save() {
  if (saving) return;
  saving = true;
  const answer = await entry.send(form.dataset.save, body());
  saving = false;
  if (answer.ok) { dirty = false; location.assign(answer.data.url); return; }
  grid.errors(answer.data.lines || {});
  entry.fieldErrors(answer.data.header);
  adjustmentErrors(answer.data.adjustments);
  if (answer.status === 401 || answer.status === 403) entry.fail(words.signedout);
  else if (answer.status === 0) entry.fail(words.offline);
  else entry.fail(answer.data.message || words.wrong);
}

// Only a debit note has an original and a reason.
function kindChosen() {
  const debit = form.querySelector("[name=kind]").value === "debit_note";
  for (const part of form.querySelectorAll("[data-debit]")) part.hidden = !debit;
}

const grid = new Grid(form, data, changed);
entry.watch(grid, changed);
document.getElementById("adjustments").addEventListener("input", changed);
form.querySelector("[name=kind]").addEventListener("change", kindChosen);
form.addEventListener("submit", (event) => { event.preventDefault(); event.stopImmediatePropagation(); save(); }, true);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && (event.key.toLowerCase() === "s" || event.key === "Enter")) { event.preventDefault(); save(); }
});
window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
kindChosen();
preview();
(form.querySelector("[name=customer]").tomselect || form.querySelector("[name=customer]")).focus();
