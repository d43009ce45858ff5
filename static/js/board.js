// Cards are dragged to the columns that take them, and the step is done in a dialog without leaving the board. The board
// asks every three seconds whether anything happened.
const board = document.querySelector("[data-board]");
const word = document.querySelector("[data-board-word]");
const EVERY = 3000;
const QUIET = 20 * 60 * 1000; // nobody there: asking on would keep the session open for ever
let held = null;
let touched = Date.now();
for (const kind of ["pointerdown", "keydown", "pointermove"]) document.addEventListener(kind, () => { touched = Date.now(); }, { passive: true });

const linkTo = (card, state) => [...card.querySelectorAll("[data-to]")].find((link) => link.dataset.to === state);
const unmark = () => board.querySelectorAll(".takes").forEach((column) => column.classList.remove("takes"));
const say = (text) => { word.querySelector("[data-board-said]").textContent = text; word.hidden = !text; };
word.querySelector("[data-board-heard]").addEventListener("click", () => say(""));

board.addEventListener("dragstart", (event) => {
  held = event.target.closest("[data-card]");
  if (!held) return;
  event.dataTransfer.setData("text/plain", held.dataset.card);
  for (const column of board.querySelectorAll("[data-column]")) column.classList.toggle("takes", Boolean(linkTo(held, column.dataset.column)));
});
board.addEventListener("dragover", (event) => { if (held && event.target.closest("[data-column]")) event.preventDefault(); });
board.addEventListener("dragend", () => { held = null; unmark(); });
board.addEventListener("drop", async (event) => {
  const column = event.target.closest("[data-column]");
  if (!held || !column) return;
  event.preventDefault();
  const card = held;
  const link = linkTo(card, column.dataset.column);
  say("");
  if (link) { link.click(); return; }
  const answer = await fetch(`/fulfilment/board/${encodeURIComponent(card.dataset.card)}/to/${column.dataset.column}/`);
  if (answer.status === 409) say(await answer.text());
});

async function refresh() {
  if (document.hidden || held || document.querySelector("dialog[open]") || Date.now() - touched > QUIET) return;
  try {
    const answer = await fetch(window.location.href, { headers: { "X-Board": "1", "If-None-Match": board.dataset.mark }, cache: "no-store" });
    if (answer.status !== 200 || answer.redirected) return;
    const focused = document.activeElement?.getAttribute?.("aria-label");
    board.innerHTML = await answer.text();
    board.dataset.mark = answer.headers.get("ETag") || "";
    if (answer.headers.get("X-Said")) say(decodeURIComponent(answer.headers.get("X-Said")));
    if (focused) [...board.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === focused)?.focus();
  } catch { /* the next question may be answered */ }
}
setInterval(refresh, EVERY);
document.addEventListener("dialog-done", refresh);
