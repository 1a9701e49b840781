// Before the first paint, so that a chosen theme or language does not flash. Kept apart because of the Content-Security-Policy.
try {
  const theme = localStorage.getItem('shop.theme');
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme it is.
}
