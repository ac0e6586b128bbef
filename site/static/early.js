// Before anything is drawn: the theme, and that there is JavaScript (what answers a question is veiled).
(() => {
  const root = document.documentElement;
  let theme = null;
  try { theme = localStorage.getItem("theme"); } catch { /* a browser that keeps nothing */ }
  root.dataset.theme = theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.classList.add("js");
})();
