// Put into the page itself (vite.config.ts): a chosen theme must not flash before the first paint.
try {
  const theme = localStorage.getItem('shop.theme');
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme it is.
}
