import { signal } from "@preact/signals";

const key = "longwave-theme";
const prefersLight = matchMedia("(prefers-color-scheme: light)");

/** The theme in force. */
export const theme = signal<"dark" | "light">(current());

function current(): "dark" | "light" {
  const chosen = document.documentElement.dataset["theme"];
  if (chosen === "dark" || chosen === "light") return chosen;
  return prefersLight.matches ? "light" : "dark";
}

export function toggleTheme(): void {
  const next = theme.value === "dark" ? "light" : "dark";
  document.documentElement.dataset["theme"] = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  theme.value = next;
}

prefersLight.addEventListener("change", () => {
  theme.value = current();
});
