// Keyboard shortcuts of every page; ? shows them.
const PLACES = { h: "/", o: "/orders/", c: "/customers/", p: "/inventory/products/", s: "/inventory/stock/", f: "/billing/", r: "/reports/" };

function step(by) {
  const rows = [...document.querySelectorAll("#list tbody tr")];
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.classList.contains("is-current"));
  const next = Math.min(rows.length - 1, Math.max(0, now + by));
  rows[now]?.classList.remove("is-current");
  rows[next].classList.add("is-current");
  rows[next].querySelector("a")?.focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

export function keys() {
  const help = document.getElementById("shortcuts");
  for (const button of document.querySelectorAll("[data-shortcuts-open]")) button.addEventListener("click", () => help?.showModal());
  let pending = false;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const led = pending;
    pending = false;
    if (led && PLACES[event.key]) {
      // Only where the side bar leads: a place without the right is none.
      if (document.querySelector(`.navbar-vertical a[href="${PLACES[event.key]}"]`)) window.location = PLACES[event.key];
      return;
    }
    if (event.key === "g") pending = true;
    else if (event.key === "?") help?.showModal();
    else if (event.key === "/") { event.preventDefault(); (document.getElementById("id_q") || document.getElementById("global-search"))?.focus(); }
    else if (event.key === "n") document.querySelector("[data-key-new]")?.click();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });
}
