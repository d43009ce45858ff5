// An invoice by hand: the line grid of order entry with the header of a document. Nothing is saved until one says so;
// what is typed stays on this computer until the server has it.
import { Grid } from "./order-grid.js";

const form = document.getElementById("invoice-entry");
const data = JSON.parse(document.getElementById("grid-data").textContent);
const words = document.getElementById("grid-words").dataset;
const failure = document.getElementById("entry-error");
const once = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
let timer = 0, asked = 0, dirty = false, saving = false;

async function send(url, body) {
  try {
    const answer = await fetch(url, { method: "POST", credentials: "same-origin", redirect: "manual", headers: { "Content-Type": "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value }, body: JSON.stringify(body) });
    if (answer.type === "opaqueredirect" || answer.status === 401) return { status: 401, data: {} };
    return { ok: answer.ok, status: answer.status, data: await answer.json().catch(() => ({})) };
  } catch { return { status: 0, data: {} }; }
}

function header() {
  const found = {};
  for (const input of form.querySelectorAll("[name]")) if (!input.closest("table") && input.name !== "csrfmiddlewaretoken") found[input.name] = input.value;
  return found;
}

const body = () => ({ version: data.version, key: once, header: header(), lines: grid.payload() });

function changed() {
  dirty = true;
  clearTimeout(timer);
  timer = setTimeout(preview, 250);
}

async function preview() {
  const mine = ++asked;
  const answer = await send(form.dataset.preview, body());
  if (!answer.ok || mine !== asked) return;
  const found = answer.data;
  grid.facts(found.rows);
  document.getElementById("total-net").textContent = found.net;
  document.getElementById("total-gross").textContent = `${found.total} ${found.currency}`;
  const last = document.getElementById("total-line");
  for (const old of last.parentElement.querySelectorAll(".tax")) old.remove();
  for (const tax of found.taxes) {
    const line = document.createElement("div"), name = document.createElement("dt"), sum = document.createElement("dd");
    line.className = "tax";
    name.textContent = tax.text;
    sum.textContent = tax.amount;
    line.append(name, sum);
    last.before(line);
  }
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

async function save() {
  if (saving) return;
  saving = true;
  const answer = await send(form.dataset.save, body());
  saving = false;
  if (answer.ok) { dirty = false; location.assign(answer.data.url); return; }
  grid.errors(answer.data.lines || {});
  fieldErrors(answer.data.header);
  if (answer.status === 401 || answer.status === 403) fail(words.signedout);
  else if (answer.status === 0) fail(words.offline);
  else fail(answer.data.message || words.wrong);
}

// Only a debit note has an original and a reason.
function kindChosen() {
  const debit = form.querySelector("[name=kind]").value === "debit_note";
  for (const part of form.querySelectorAll("[data-debit]")) part.hidden = !debit;
}

const grid = new Grid(form, data, changed);
form.querySelector("[data-add]").addEventListener("click", () => { grid.input(grid.add(), "product").focus(); });
for (const input of form.querySelectorAll("[name]")) { input.addEventListener("input", changed); input.addEventListener("change", changed); }
form.querySelector("[name=kind]").addEventListener("change", kindChosen);
form.addEventListener("submit", (event) => { event.preventDefault(); event.stopImmediatePropagation(); save(); }, true);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && (event.key.toLowerCase() === "s" || event.key === "Enter")) { event.preventDefault(); save(); }
});
window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
kindChosen();
preview();
(form.querySelector("[name=customer]").tomselect || form.querySelector("[name=customer]")).focus();
