// Ctrl+K: search and commands, by keyboard alone.
export function palette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const empty = dialog.querySelector(".palette-empty");
  let items = [];
  let at = 0;
  let timer = 0;
  let asked = 0;

  const mark = () => {
    items.forEach((item, index) => item.setAttribute("aria-selected", index === at ? "true" : "false"));
    if (items[at]) {
      input.setAttribute("aria-activedescendant", items[at].id);
      items[at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const draw = (groups) => {
    list.replaceChildren();
    items = [];
    for (const group of groups) {
      const box = document.createElement("div");
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", group.label);
      const head = document.createElement("div");
      head.className = "palette-group";
      head.setAttribute("role", "presentation");
      head.textContent = group.label;
      box.append(head);
      for (const hit of group.hits) {
        const link = document.createElement("a");
        link.className = "palette-item";
        link.href = hit.url;
        link.id = `palette-item-${items.length}`;
        link.setAttribute("role", "option");
        link.tabIndex = -1;
        const title = document.createElement("span");
        title.textContent = hit.title;
        const hint = document.createElement("small");
        hint.textContent = hit.hint || "";
        link.append(title, hint);
        box.append(link);
        items.push(link);
      }
      list.append(box);
    }
    empty.hidden = items.length > 0;
    at = 0;
    mark();
  };
  const ask = async () => {
    const turn = ++asked;
    const answer = await fetch(`${dialog.dataset.url}?q=${encodeURIComponent(input.value)}`);
    if (answer.ok && turn === asked) draw((await answer.json()).groups);
  };
  const open = () => {
    if (dialog.open) return;
    input.value = "";
    dialog.showModal();
    input.focus();
    ask();
  };
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
  });
  for (const button of document.querySelectorAll("[data-palette-open]")) button.addEventListener("click", open);
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = items.length ? (at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length : 0;
      mark();
    } else if (event.key === "Enter" && items[at]) { event.preventDefault(); window.location = items[at].href; }
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}
