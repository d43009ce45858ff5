// One list of suggestions shared by all rows of the grid: type, arrow down, Enter.
const words = () => document.getElementById("grid-words").dataset;

export function productBox(form, chosen) {
  const list = document.getElementById("grid-options");
  let input = null, found = [], at = -1, timer = 0, asked = 0;

  const close = () => {
    list.hidden = true;
    clearTimeout(timer);
    asked += 1;
    input?.setAttribute("aria-expanded", "false");
    input?.removeAttribute("aria-activedescendant");
  };
  const mark = (place) => {
    at = place;
    [...list.children].forEach((option, here) => option.setAttribute("aria-selected", here === at ? "true" : "false"));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (list.children[at]) input.setAttribute("aria-activedescendant", list.children[at].id);
  };
  const show = () => {
    list.replaceChildren();
    found.forEach((one, place) => {
      const option = document.createElement("div");
      option.setAttribute("role", "option");
      option.id = `grid-option-${place}`;
      option.append(`${one.text} `);
      const hint = document.createElement("small");
      hint.textContent = [one.name, one.priced, one.stocked ? `${one.free} ${words().free}` : ""].filter(Boolean).join(" · ");
      option.append(hint);
      list.append(option);
    });
    if (!found.length) {
      const none = document.createElement("div");
      none.className = "p-2 text-secondary";
      none.textContent = words().none;
      list.append(none);
      if (words().mayCreate) {
        const create = document.createElement("a");
        create.className = "d-block p-2";
        create.href = `/inventory/products/new/?sku=${encodeURIComponent(input.value)}`;
        create.target = "_blank";
        create.textContent = `${words().create}: ${input.value}`;
        list.append(create);
      }
    }
    const box = input.getBoundingClientRect();
    list.style.left = `${box.left + window.scrollX}px`;
    list.style.top = `${box.bottom + window.scrollY}px`;
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(found.length ? 0 : -1);
  };
  const ask = async () => {
    const mine = ++asked;
    const currency = form.querySelector("[name=currency]")?.value || "EUR";
    try {
      const answer = await fetch(`${form.dataset.products}?currency=${encodeURIComponent(currency)}&q=${encodeURIComponent(input.value.trim())}`);
      if (!answer.ok || mine !== asked) return null;
      found = (await answer.json()).results;
      return found;
    } catch { return null; }
  };
  const choose = (place) => {
    const row = input.closest("tr");
    close();
    if (found[place]) chosen(row, found[place]);
  };

  document.addEventListener("input", (event) => {
    if (event.target.dataset?.name !== "product") return;
    input = event.target;
    const row = input.closest("tr");
    row.product = null;
    clearTimeout(timer);
    if (!input.value.trim()) { row.facts = null; close(); return; }
    timer = setTimeout(async () => { if (await ask() && document.activeElement === input) show(); }, 120);
  });
  document.addEventListener("keydown", async (event) => {
    if (event.target.dataset?.name !== "product") return;
    input = event.target;
    const row = input.closest("tr");
    if (event.key === "ArrowDown" && !event.altKey) {
      event.preventDefault();
      if (list.hidden) { if (await ask()) show(); } else mark(Math.min(at + 1, found.length - 1));
    } else if (event.key === "ArrowUp" && !event.altKey && !list.hidden) {
      event.preventDefault();
      mark(Math.max(at - 1, 0));
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if ((event.key === "Enter" || event.key === "Tab") && input.value.trim() && !row.product && !event.shiftKey) {
      // Quicker than the suggestions: take what the server finds first for what was typed.
      event.preventDefault();
      event.stopImmediatePropagation();
      clearTimeout(timer);
      const open = !list.hidden;
      const place = open ? at : 0;
      if (!open || event.key === "Enter") {
        if (!open) await ask();
        const typed = input.value.trim().toLowerCase();
        if (found[place] && (open || found[place].text.toLowerCase() === typed || found.length === 1)) { choose(place); return; }
        if (found.length) { show(); return; }
      } else if (found[place]) { choose(place); return; }
      close();
      if (event.key === "Tab" || !found.length) row.querySelector("[data-name=description]").focus();
    }
  }, true);
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    choose([...list.children].indexOf(option));
  });
  document.addEventListener("focusout", (event) => { if (event.target === input) setTimeout(() => { if (document.activeElement !== input) close(); }, 150); });
  return { close };
}
