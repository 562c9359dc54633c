// Runs before the first paint, so that the page never flashes in the wrong theme.
try {
  const chosen = localStorage.getItem("longwave-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {}
