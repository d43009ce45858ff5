// A chart from data beside it: <canvas data-chart="id-of-json-script" data-chart-kind="bar"> (data-chart-percent, or data of the unit "percent": of 100). The table says the same.
const COLOURS = ["#0a5bbf", "#2f8a4b", "#c2570c", "#7a3fb3", "#0f7c8a", "#b3261e", "#64748b"];
const ON_DARK = ["#6cb0f5", "#6fcf8b", "#f2a154", "#c39bf0", "#5fc9d8", "#ff9d94", "#a3b1c2"];
let loading = null;
const library = () => {
  if (window.Chart) return Promise.resolve(window.Chart);
  loading ||= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = document.querySelector("link[data-chart-library]")?.href;
    script.onload = () => resolve(window.Chart);
    document.head.append(script);
  });
  return loading;
};
export function charts(root, once) {
  once(root, "canvas[data-chart]", async (canvas) => {
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    if (!data.labels.length) return;
    const Chart = await library();
    const percent = "chartPercent" in canvas.dataset || data.unit === "percent";
    const text = getComputedStyle(document.body).color;
    Chart.defaults.color = text;
    const dark = document.documentElement.dataset.bsTheme === "dark";
    const colours = dark ? ON_DARK : COLOURS;
    Chart.defaults.borderColor = dark ? "rgb(255 255 255 / .12)" : "rgb(0 0 0 / .1)";
    new Chart(canvas, {
      type: canvas.dataset.chartKind || "bar",
      data: {
        labels: data.labels,
        datasets: data.series.map((series, index) => ({ label: series.label, data: series.values, backgroundColor: colours[index % colours.length], borderColor: colours[index % colours.length], tension: .2 })),
      },
      options: { responsive: true, maintainAspectRatio: false, animation: false, plugins: { legend: { display: data.series.length > 1 } }, scales: { y: percent ? { beginAtZero: true, suggestedMax: 100, ticks: { callback: (value) => `${value} %` } } : { beginAtZero: true, ticks: data.unit === "count" ? { precision: 0 } : {} } } },
    });
  });
}
