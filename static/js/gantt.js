// Dragging a bar opens the form for moving its milestone, filled with the new dates and what they break.
for (const chart of document.querySelectorAll("[data-gantt]")) {
  const perDay = Number(chart.dataset.day);
  const link = chart.querySelector("[data-drag]");
  let held = null;
  const shift = (event) => event.clientX - held.from;
  const letGo = () => { held?.bar.removeAttribute("transform"); held = null; };
  chart.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest("[data-move]");
    if (!bar || event.button) return;
    held = { bar, from: event.clientX };
    bar.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  chart.addEventListener("pointermove", (event) => {
    if (held) held.bar.setAttribute("transform", `translate(${shift(event)} 0)`);
  });
  chart.addEventListener("pointerup", (event) => {
    if (!held) return;
    const days = Math.round(shift(event) / perDay);
    link.href = `${held.bar.dataset.move}${days ? `?by=${days}` : ""}`;
    letGo();
    link.click();
  });
  chart.addEventListener("pointercancel", letGo);
}
