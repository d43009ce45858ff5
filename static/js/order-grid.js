// The line grid: rows made from one template, moved and filled by keyboard alone.
import { productBox } from "./order-products.js";

const words = () => document.getElementById("grid-words").dataset;

export class Grid {
  constructor(form, data, changed) {
    this.body = document.getElementById("grid-rows");
    this.template = document.getElementById("grid-row").content.firstElementChild;
    this.supplies = data.supplies;
    this.changed = changed;
    this.form = form;
    this.box = productBox(form, (row, facts) => this.take(row, facts));
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("input", (event) => { this.clearError(event.target); this.changed(); });
    this.body.addEventListener("change", () => this.changed());
    this.body.addEventListener("click", (event) => {
      const button = event.target.closest("[data-remove]");
      if (button) this.remove(button.closest("tr"));
    });
    this.fill(data.lines);
  }

  rows() { return [...this.body.querySelectorAll("tr.grid-row")]; }
  input(row, name) { return row.querySelector(`[data-name="${name}"]`); }

  fill(lines) {
    this.body.replaceChildren();
    for (const line of lines) this.add(line, null, false);
    if (!lines.length) this.add(null, null, false);
    this.number();
  }

  add(line = null, after = null, renumber = true) {
    const row = this.template.cloneNode(true);
    const select = this.input(row, "supply"); // not on invoices
    if (select) select.append(new Option("", ""), ...this.supplies.map((one) => new Option(one.text, one.value)));
    row.product = null;
    row.facts = null;
    const specification = after ? this.specRow(after) : null;
    if (after) (specification || after).after(row); else this.body.append(row);
    if (line) this.set(row, line);
    if (renumber) this.number();
    return row;
  }

  set(row, line) {
    for (const input of row.querySelectorAll("[data-name]")) {
      const value = input.dataset.name === "product" ? null : line[input.dataset.name];
      if (value !== undefined && value !== null) input.value = value;
    }
    row.product = line.product || null;
    row.facts = line.facts || null;
    this.bind(row, line.line);
    if (line.facts) this.input(row, "product").value = line.facts.text;
    else if (line.typed) this.input(row, "product").value = line.typed;
    this.specification(row, line.specification || {});
    this.stock(row, line.facts);
  }

  // A row may stand for a line that is there already (a change request): what it is stays, how much and at what price may change.
  bind(row, line) {
    row.line = line ?? null;
    if (!row.line) return;
    for (const name of row.product ? ["product", "description", "unit", "supply"] : ["product", "unit", "supply"]) this.input(row, name).disabled = true;
  }

  // A product was chosen: its text, unit, price and supply come along where nothing was typed.
  take(row, facts) {
    const before = row.facts;
    row.product = facts.value;
    row.facts = facts;
    this.input(row, "product").value = facts.text;
    const fresh = (name, value, old) => {
      const input = this.input(row, name);
      if (input && (!input.value || (before && input.value === old))) input.value = value;
    };
    fresh("description", facts.name, before?.name);
    fresh("unit", facts.unit, before?.unit);
    fresh("unit_price", facts.price, before?.price);
    fresh("supply", facts.supply, before?.supply);
    this.specification(row, {});
    this.stock(row, facts);
    this.clearError(this.input(row, "product"));
    this.input(row, "quantity").focus();
    this.changed();
  }

  stock(row, facts) {
    row.querySelector(".g-stock").textContent = facts && facts.stocked ? `${facts.free} ${words().free}` : "";
  }

  specRow(row) {
    const next = row.nextElementSibling;
    return next && next.classList.contains("spec-row") ? next : null;
  }

  specification(row, values) {
    this.specRow(row)?.remove();
    const attributes = row.facts?.attributes || [];
    if (!attributes.length) return;
    const line = document.createElement("tr");
    line.className = "spec-row";
    line.innerHTML = '<td></td><td colspan="10"><div class="spec"></div></td>';
    const place = line.querySelector(".spec");
    for (const one of attributes) {
      const label = document.createElement("label");
      const text = document.createElement("span");
      text.textContent = one.label + (one.unit ? ` (${one.unit})` : "") + (one.required ? " *" : "");
      let input;
      if (one.kind === "choice" || one.kind === "boolean") {
        input = document.createElement("select");
        input.className = "form-select form-select-sm";
        input.append(new Option("", ""));
        const choices = one.kind === "boolean" ? [["true", words().yes], ["false", words().no]] : one.choices.map((choice) => [choice, choice]);
        for (const [value, shown] of choices) input.append(new Option(shown, value));
      } else {
        input = document.createElement("input");
        input.className = "form-control form-control-sm";
        input.maxLength = 500;
        if (one.kind === "number") {
          input.inputMode = "decimal";
          input.placeholder = [one.minimum, one.maximum].some(Boolean) ? `${one.minimum} – ${one.maximum}` : "";
        }
      }
      input.dataset.spec = one.key;
      if (one.help) input.title = one.help;
      input.value = values[one.key] === undefined ? "" : String(values[one.key]);
      label.append(text, input);
      place.append(label);
    }
    row.after(line);
  }

  number() {
    this.rows().forEach((row, place) => { row.querySelector(".g-pos").textContent = place + 1; });
  }

  remove(row) {
    const rows = this.rows();
    const place = rows.indexOf(row);
    const next = rows[place + 1] || rows[place - 1];
    this.specRow(row)?.remove();
    row.remove();
    (next ? this.input(next, "product") : this.input(this.add(), "product")).focus();
    this.number();
    this.changed();
  }

  move(row, up) {
    const rows = this.rows();
    const other = rows[rows.indexOf(row) + (up ? -1 : 1)];
    if (!other) return;
    const specification = this.specRow(row);
    if (up) other.before(row); else (this.specRow(other) || other).after(row);
    if (specification) row.after(specification);
    this.number();
    this.changed();
  }

  key(event) {
    const row = event.target.closest("tr.grid-row") || event.target.closest("tr.spec-row")?.previousElementSibling;
    if (!row) return;
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.move(row, event.key === "ArrowUp");
      event.target.focus();
    } else if (event.altKey && event.key === "Delete") {
      event.preventDefault();
      this.remove(row);
    } else if (event.ctrlKey && event.key.toLowerCase() === "d") {
      event.preventDefault();
      const copy = this.add({ ...this.read(row), line: null }, row);
      this.input(copy, "quantity").focus();
      this.changed();
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.defaultPrevented) {
      event.preventDefault();
      const rows = this.rows();
      const next = rows[rows.indexOf(row) + 1] || this.add();
      this.input(next, "product").focus();
    }
  }

  read(row) {
    const line = { product: row.product, facts: row.facts, specification: {} };
    if (row.line) line.line = row.line;
    for (const input of row.querySelectorAll("[data-name]")) if (input.dataset.name !== "product") line[input.dataset.name] = input.value;
    const typed = this.input(row, "product").value.trim();
    if (typed && !row.product) line.typed = typed;
    for (const input of this.specRow(row)?.querySelectorAll("[data-spec]") || []) if (input.value !== "") line.specification[input.dataset.spec] = input.value;
    return line;
  }

  lines() { return this.rows().map((row) => this.read(row)); }

  // What the server is sent: without what it knows itself.
  payload() {
    return this.lines().map(({ facts, ...line }) => ({ ...line, product: line.product ?? (line.typed ? line.typed : null) }));
  }

  clearError(input) {
    input.classList.remove("is-invalid");
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }

  // `typing`: what is still empty in the row that one is in is not wrong yet.
  errors(found, { typing = false } = {}) {
    for (const old of this.body.querySelectorAll(".row-error")) old.remove();
    for (const old of this.body.querySelectorAll(".is-invalid")) this.clearError(old);
    const rows = this.rows();
    for (const [place, fields] of Object.entries(found)) {
      const row = rows[Number(place)];
      if (!row) continue;
      const here = typing && (row.contains(document.activeElement) || this.specRow(row)?.contains(document.activeElement));
      for (const [name, texts] of Object.entries(fields)) {
        const input = name === "specification" ? this.specRow(row)?.querySelector("[data-spec]") : this.input(row, name);
        if (here && !input?.value.trim()) continue;
        const text = document.createElement("div");
        text.className = "row-error";
        text.textContent = texts.join(" ");
        text.id = `row-error-${place}-${name}`;
        if (input) {
          input.classList.add("is-invalid");
          input.setAttribute("aria-invalid", "true");
          input.setAttribute("aria-describedby", text.id);
          input.after(text);
        } else row.lastElementChild.append(text);
      }
    }
  }

  facts(found) {
    const rows = this.rows();
    rows.forEach((row, place) => {
      const fact = found?.[place];
      row.querySelector(".g-net").textContent = fact ? fact.net : "";
      const tax = row.querySelector(".g-tax"); // on invoices: what the line is taxed as
      if (tax) tax.textContent = fact ? fact.tax : "";
      if (!fact?.promise || !row.facts) return; // a change request shows nets alone
      const stock = row.querySelector(".g-stock");
      stock.textContent = fact.free === undefined ? fact.promise : `${fact.free} ${words().free} · ${fact.promise}`;
      stock.classList.toggle("text-danger", Boolean(fact.short));
    });
  }
}
