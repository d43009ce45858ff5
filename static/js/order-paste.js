// Pasting from a spreadsheet: good and bad rows are shown first, good ones can be taken, nothing is lost.
const words = () => document.getElementById("grid-words").dataset;

export function pasting(form, grid, send) {
  const dialog = document.getElementById("paste-dialog");
  const text = document.getElementById("paste-text");
  const summary = document.getElementById("paste-summary");
  const place = document.getElementById("paste-rows");
  const take = dialog.querySelector("[data-paste-take]");
  const left = document.getElementById("paste-left");
  let rows = [];

  const check = async () => {
    take.disabled = true;
    const currency = form.querySelector("[name=currency]")?.value || "EUR";
    const answer = await send(form.dataset.paste, { text: text.value, currency });
    if (!answer.ok) { summary.textContent = answer.data.message || words().offline; return; }
    rows = answer.data.rows;
    const good = rows.filter((one) => one.good).length;
    summary.textContent = `${good} ${words().good}, ${rows.length - good} ${words().bad}.`;
    const table = document.createElement("table");
    table.className = "table table-sm";
    for (const one of rows) {
      const line = table.insertRow();
      line.className = one.good ? "" : "table-danger";
      line.insertCell().textContent = `${words().row} ${one.number}`;
      line.insertCell().textContent = one.raw.join(" | ");
      line.insertCell().textContent = one.good ? "✓" : one.errors.join(" ");
    }
    place.replaceChildren(table);
    take.disabled = good === 0;
    if (good) take.focus();
  };
  const open = (content) => {
    if (content !== undefined) text.value = content;
    rows = [];
    place.replaceChildren();
    summary.textContent = "";
    take.disabled = true;
    if (!dialog.open) dialog.showModal();
    text.focus();
    if (text.value.trim()) check();
  };

  form.querySelector("[data-paste-open]").addEventListener("click", () => open());
  dialog.querySelector("[data-paste-check]").addEventListener("click", check);
  dialog.querySelector("[data-paste-close]").addEventListener("click", () => dialog.close());
  take.addEventListener("click", () => {
    for (const row of grid.rows()) if (isEmpty(grid.read(row))) { grid.specRow(row)?.remove(); row.remove(); }
    for (const one of rows.filter((row) => row.good)) grid.add(one.row, null, false);
    grid.number();
    const bad = rows.filter((row) => !row.good);
    left.hidden = bad.length === 0;
    document.getElementById("paste-left-text").value = bad.map((one) => one.raw.join("\t")).join("\n");
    text.value = "";
    dialog.close();
    grid.changed();
  });
  left.querySelector("[data-paste-again]").addEventListener("click", () => open(document.getElementById("paste-left-text").value));
  left.querySelector("[data-paste-forget]").addEventListener("click", () => { left.hidden = true; document.getElementById("paste-left-text").value = ""; });
  grid.body.addEventListener("paste", (event) => {
    const content = event.clipboardData.getData("text/plain");
    if (!/[\t\n]/.test(content.trim())) return;
    event.preventDefault();
    open(content);
  });
}

export const isEmpty = (line) => !line.product && !line.typed && !line.description && !line.quantity && !line.unit_price;
