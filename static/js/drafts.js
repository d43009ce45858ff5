// Nothing typed is ever lost: a form with data-guard asks before it is left, and keeps what was typed in this tab
// until it was sent, so that an expired session or a crash costs nothing. Passwords, files and hidden fields stay out.
const LIMIT = 200_000;
const kept = (field) => field.name && !field.disabled && !["hidden", "password", "file", "submit", "button"].includes(field.type);
const key = (form) => `draft:${document.documentElement.dataset.reader}:${location.pathname}:${form.getAttribute("action") || ""}`;
const values = (form) => [...form.elements].filter(kept).map((field) => [field.name, field.type === "checkbox" || field.type === "radio" ? field.value : null, field.type === "checkbox" || field.type === "radio" ? field.checked : field.multiple ? [...field.selectedOptions].map((one) => one.value) : field.value]);

function fill(form, saved) {
  const seen = {};
  for (const [name, choice, value] of saved) {
    const same = [...form.elements].filter((field) => kept(field) && field.name === name && (choice === null || field.value === choice));
    const at = (seen[`${name} ${choice}`] = (seen[`${name} ${choice}`] ?? -1) + 1);
    const field = same[at];
    if (!field) continue;
    if (choice !== null) field.checked = value;
    else if (field.tomselect) field.tomselect.setValue(value);
    else if (Array.isArray(value)) for (const option of field.options) option.selected = value.includes(option.value);
    else field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function offer(form, saved) {
  const words = document.getElementById("draft-words")?.dataset;
  if (!words) return;
  const note = document.createElement("div");
  note.className = "alert alert-info draft-note";
  note.setAttribute("role", "status");
  const text = document.createElement("span");
  text.textContent = `${words.text} ${new Date(saved.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })}`;
  const button = (label, css, does) => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = `btn btn-sm ${css}`;
    one.textContent = label;
    one.addEventListener("click", () => { does(); note.remove(); });
    return one;
  };
  note.append(text, button(words.restore, "btn-primary", () => fill(form, saved.values)), button(words.discard, "", () => sessionStorage.removeItem(key(form))));
  form.prepend(note);
}

export function guard(form) {
  let dirty = false;
  let timer = 0;
  const place = key(form);
  const before = JSON.stringify(values(form));
  const failed = form.querySelector(".is-invalid, .alert-danger");
  try {
    const saved = JSON.parse(sessionStorage.getItem(place) || "null");
    // A form that comes back with its errors still holds what was typed.
    if (saved && !failed && JSON.stringify(saved.values) !== before) offer(form, saved);
  } catch { sessionStorage.removeItem(place); }
  const keep = () => {
    try {
      const text = JSON.stringify({ at: Date.now(), values: values(form) });
      if (text.length < LIMIT) sessionStorage.setItem(place, text);
    } catch { /* no room: the warning on leaving remains */ }
  };
  form.addEventListener("input", () => {
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(keep, 600);
  });
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    dirty = false;
    clearTimeout(timer);
    // Kept until the next page says that all is well: the answer may be the sign-in page.
    keep();
    sessionStorage.setItem("draft:sent", place);
  });
  window.addEventListener("beforeunload", (event) => { if (dirty && document.contains(form)) event.preventDefault(); });
}

// A sent form led to a page of ours without a complaint: its draft is done with.
export function forget() {
  for (const form of document.querySelectorAll("form[action='/logout/']")) form.addEventListener("submit", () => sessionStorage.clear());
  const sent = sessionStorage.getItem("draft:sent");
  if (!sent) return;
  if (!document.getElementById("messages")) return;
  sessionStorage.removeItem("draft:sent");
  // The same form again and nothing said that it was done: signed in anew, it is offered what was typed.
  const again = [...document.querySelectorAll("form[data-guard]")].some((form) => key(form) === sent);
  if (again && !document.querySelector("#messages .alert-success")) return;
  if (!document.querySelector(".is-invalid, .alert-danger, [data-focus]")) sessionStorage.removeItem(sent);
}
