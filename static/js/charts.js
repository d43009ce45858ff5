// A chart from data beside it: <canvas data-chart="id-of-json-script" data-chart-kind="bar">. The table says the same.
const COLOURS = ["#0a5bbf", "#2f8a4b", "#c2570c", "#7a3fb3", "#0f7c8a", "#b3261e", "#64748b"];
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
    const text = getComputedStyle(document.body).color;
    Chart.defaults.color = text;
    new Chart(canvas, {
      type: canvas.dataset.chartKind || "bar",
      data: {
        labels: data.labels,
        datasets: data.series.map((series, index) => ({ label: series.label, data: series.values, backgroundColor: COLOURS[index % COLOURS.length], borderColor: COLOURS[index % COLOURS.length], tension: .2 })),
      },
      options: { responsive: true, maintainAspectRatio: false, animation: false, plugins: { legend: { display: data.series.length > 1 } }, scales: { y: { beginAtZero: true } } },
    });
  });
}
