// Runs before the first paint, so that a dark page never flashes white.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const wish = root.dataset.theme;
    root.dataset.bsTheme = wish === "dark" || (wish !== "light" && dark.matches) ? "dark" : "light";
  };
  dark.addEventListener("change", apply);
  apply();
  // A form that led out to the sign-in page or to an error was not taken: what was typed in it stays kept.
  if ("outside" in root.dataset) try { sessionStorage.removeItem("draft:sent"); } catch { /* forbidden */ }
})();
