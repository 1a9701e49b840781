const RELEASED_AFTER_MS = 60_000;

/** Offers a file to be saved under this name. */
export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), RELEASED_AFTER_MS);
}
