// Dragging a bar opens the form for moving its milestone, filled with the new dates and what they break. The arrow keys
// on its name do the same: left and right by a day (with Shift by a week), Enter opens the form, Escape gives up.
const WEEK = 7;
for (const chart of document.querySelectorAll("[data-gantt]")) {
  const perDay = Number(chart.dataset.day);
  const link = chart.querySelector("[data-drag]");
  const word = chart.querySelector("[data-shifted]");
  let held = null;
  let keyed = null;
  const shift = (event) => event.clientX - held.from;
  const show = (bar, px) => bar.setAttribute("transform", `translate(${px} 0)`);
  const letGo = () => { held?.bar.removeAttribute("transform"); held = null; };
  const giveUp = () => { keyed?.bar.removeAttribute("transform"); keyed = null; word.textContent = ""; };
  const open = (bar, days) => {
    link.href = `${bar.dataset.move}${days ? `?by=${days}` : ""}`;
    link.click();
  };
  chart.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest("[data-move]");
    if (!bar || event.button) return;
    giveUp();
    held = { bar, from: event.clientX };
    bar.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  chart.addEventListener("pointermove", (event) => { if (held) show(held.bar, shift(event)); });
  chart.addEventListener("pointerup", (event) => {
    if (!held) return;
    const { bar } = held;
    const days = Math.round(shift(event) / perDay);
    letGo();
    open(bar, days);
  });
  chart.addEventListener("pointercancel", letGo);
  chart.addEventListener("keydown", (event) => {
    const name = event.target.closest("[data-shift]");
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") giveUp();
    if (!name || event.altKey || event.ctrlKey || event.metaKey) return;
    if (step) {
      event.preventDefault();
      const bar = chart.querySelector(`[data-bar="${name.dataset.shift}"]`);
      if (keyed?.bar !== bar) { giveUp(); keyed = { bar, days: 0 }; }
      keyed.days += step * (event.shiftKey ? WEEK : 1);
      show(bar, keyed.days * perDay);
      word.textContent = `${name.title}: ${keyed.days > 0 ? "+" : ""}${keyed.days} ${word.dataset.words}`;
    } else if (event.key === "Enter" && keyed?.days) {
      event.preventDefault();
      const { bar, days } = keyed;
      giveUp();
      open(bar, days);
    }
  });
  chart.addEventListener("focusout", (event) => { if (event.target.closest("[data-shift]")) giveUp(); });
}
