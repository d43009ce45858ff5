// Behaviour of every page. Each part looks for its own data attributes and does nothing where they are absent.
import { palette } from "./palette.js";
import { autocompletes } from "./autocomplete.js";
import { charts } from "./charts.js";
import { dialogs, refused } from "./dialogs.js";
import { forget, guard } from "./drafts.js";
import { keys } from "./keys.js";

const once = (root, selector, start) => {
  for (const element of root.querySelectorAll(selector)) {
    if (element.dataset.ready) continue;
    element.dataset.ready = "1";
    start(element);
  }
};

// A second press of a button must not send the form twice.
function pressOnce(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    for (const button of form.querySelectorAll("button[type=submit]")) setTimeout(() => { if (!button.disabled) { button.disabled = true; button.dataset.sent = ""; } }, 0);
  });
}

// Coming back by the browser's history brings the page as it was left: its buttons work again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const button of document.querySelectorAll("button[type=submit][disabled][data-sent]")) button.disabled = false;
});

// What is too large for the server is not sent: the page would be gone, and what was typed with it.
document.addEventListener("submit", (event) => {
  const words = document.getElementById("draft-words");
  if (event.target.method !== "post" || !words || event.target.elements.length < 1000) return;
  const texts = [...new FormData(event.target).entries()].filter(([, value]) => typeof value === "string");
  if (new URLSearchParams(texts).toString().length <= Number(words.dataset.most)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  refused(event.target, words.dataset.refusedText);
}, true);

function selectAll(box) {
  box.addEventListener("change", () => {
    for (const one of document.querySelectorAll(box.dataset.selectAll)) one.checked = box.checked;
  });
}

function autosubmit(form) {
  form.addEventListener("change", () => form.requestSubmit());
}

// Several of a few: ticked from a list that stays small, instead of a box that needs Ctrl.
function severalOf(select) {
  const chosen = new window.TomSelect(select, { plugins: ["remove_button"], maxOptions: 200, hideSelected: true });
  select.setAttribute("aria-hidden", "true");
  chosen.on("change", () => select.dispatchEvent(new Event("change", { bubbles: true })));
}

// What a field holds, to the clipboard; where the browser gives none, the text is marked for Ctrl+C.
function copyOf(button) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try { await navigator.clipboard.writeText(field.value); button.textContent = button.dataset.copied; } catch { field.focus(); }
  });
}

function prepare(root) {
  autocompletes(root, once);
  if (window.TomSelect) once(root, "select[multiple]:not([data-autocomplete])", severalOf);
  charts(root, once);
  once(root, "form[data-guard]", guard);
  once(root, "form[method=post]", pressOnce);
  once(root, "[data-select-all]", selectAll);
  once(root, "form[data-autosubmit]", autosubmit);
  once(root, "[data-copy]", copyOf);
}

forget();
dialogs(prepare);
palette();
keys();
prepare(document);
document.querySelector("[data-focus]")?.focus();
document.body.addEventListener("htmx:load", (event) => prepare(event.target.parentElement || document));
// Django's answers with 4xx carry the form with its errors: show them like any other answer.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if ([400, 409, 422].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; }
});
// The address of a filtered list names what was chosen, not what was left open (`q` stays: it says "no default view").
document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.target.id !== "filter-form") return;
  const open = new Set([...event.detail.formData.entries()].filter(([name, value]) => value === "" && name !== "q").map(([name]) => name));
  for (const name of open) if (event.detail.formData.getAll(name).every((value) => value === "")) event.detail.formData.delete(name);
});
document.body.addEventListener("htmx:configRequest", (event) => {
  const token = document.cookie.match(/csrftoken=([^;]+)/) || document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = Array.isArray(token) ? token[1] : token;
});
