// What order entry, change requests and invoices by hand share: talking to the server, errors at their fields, live totals.

export class Entry {
  constructor(form) {
    this.form = form;
    this.failure = document.getElementById("entry-error");
  }

  get #token() { return this.form.querySelector("[name=csrfmiddlewaretoken]"); }

  #post(url, body) {
    return fetch(url, { method: "POST", credentials: "same-origin", redirect: "manual", headers: { "Content-Type": "application/json", "X-CSRFToken": this.#token.value }, body: JSON.stringify(body) });
  }

  // Who signed in again in another tab has another token: this page takes it over.
  async #freshToken() {
    const page = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
    if (!page.ok) return false;
    const found = new DOMParser().parseFromString(await page.text(), "text/html").querySelector(`#${this.form.id} [name=csrfmiddlewaretoken]`);
    if (found) this.#token.value = found.value;
    return Boolean(found);
  }

  // Status 0: nobody answered; 401: signed out.
  async send(url, body) {
    let answer;
    try {
      answer = await this.#post(url, body);
      if (answer.status === 403 && await this.#freshToken()) answer = await this.#post(url, body);
    } catch { return { ok: false, status: 0, data: {} }; }
    if (answer.type === "opaqueredirect" || answer.status === 401) return { ok: false, status: 401, data: {} };
    let parsed = {};
    try { parsed = await answer.json(); } catch { /* a page instead of JSON */ }
    return { ok: answer.ok, status: answer.status, data: parsed };
  }

  header() {
    const found = {};
    for (const input of this.form.querySelectorAll("[name]")) {
      if (input.closest("table") || input.name === "csrfmiddlewaretoken") continue;
      if (input.type !== "checkbox") found[input.name] = input.value;
      else if (input.checked) found[input.name] = "on";
    }
    return found;
  }

  fieldErrors(found) {
    for (const old of this.form.querySelectorAll(".field-error")) old.remove();
    for (const input of this.form.querySelectorAll("[name].is-invalid")) { input.classList.remove("is-invalid"); input.removeAttribute("aria-invalid"); }
    for (const [name, texts] of Object.entries(found || {})) {
      const input = this.form.querySelector(`[name="${name}"]`);
      if (!input) continue;
      input.classList.add("is-invalid");
      input.setAttribute("aria-invalid", "true");
      input.closest("details")?.setAttribute("open", "");
      const text = document.createElement("div");
      text.className = "invalid-feedback d-block field-error";
      text.id = `field-error-${name}`;
      text.textContent = texts.join(" ");
      input.setAttribute("aria-describedby", text.id);
      (input.closest(".mb-3") || input.parentElement).append(text);
    }
  }

  // What a draft that saves itself is refused for is said where it says that it is saved; nobody is taken from their cell.
  refused(state, grid, found, unsaved) {
    state.textContent = found.message || unsaved;
    grid.errors(found.lines || {}, { typing: true });
    const header = Object.entries(found.header || {}).filter(([name]) => this.form.querySelector(`[name="${name}"]`)?.value);
    this.fieldErrors(Object.fromEntries(header));
  }

  // An empty text takes the message away.
  fail(text) {
    this.failure.textContent = text;
    this.failure.hidden = !text;
    if (text) this.failure.focus();
  }

  totals(found) {
    const missing = document.getElementById("total-left-out"); // on orders: lines that can't be read yet
    if (missing) missing.textContent = found.left_out || "";
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

  warnings(texts, kind) {
    document.getElementById("entry-warnings").replaceChildren(...texts.map((text) => {
      const box = document.createElement("div");
      box.className = `alert alert-${kind}`;
      box.textContent = text;
      return box;
    }));
  }

  // Every field of the form, and the button that adds a line.
  watch(grid, changed) {
    this.form.querySelector("[data-add]").addEventListener("click", () => { grid.input(grid.add(), "product").focus(); });
    for (const input of this.form.querySelectorAll("[name]")) { input.addEventListener("input", changed); input.addEventListener("change", changed); }
  }
}
