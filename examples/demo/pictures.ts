import { readFileSync } from 'node:fs';

const SYMBOL = /^<symbol id="(\w+)">(.*)<\/symbol>$/gm;
const MOTIFS = new Map(
  Array.from(
    readFileSync(new URL('motifs.svg', import.meta.url), 'utf8').matchAll(SYMBOL),
    ([, name, shapes]) => [name, shapes],
  ),
);

/** Background, main, dark, light, accent. */
const PALETTES: Record<string, [string, string, string, string, string]> = {
  coral: ['#fbe6de', '#e8735a', '#bf5340', '#f6b9a6', '#f4b942'],
  sand: ['#f4ead9', '#d2a56d', '#a87b47', '#ecd3ae', '#d9654b'],
  sage: ['#e4ecdf', '#7fa07a', '#577a56', '#bcd0b4', '#eaa640'],
  sky: ['#dfecf4', '#5b97c0', '#3b6f96', '#b2d2e6', '#f2a65a'],
  plum: ['#ece3f1', '#8b6aa6', '#63487d', '#cdb6dd', '#f0a35e'],
  sun: ['#fcefcf', '#eeb03c', '#c68a1f', '#fadc97', '#d9604a'],
  mint: ['#dcf0ea', '#4fae99', '#318170', '#a9dccf', '#f3b14e'],
};
const FIXED = { w: '#fffaf2', k: '#2f3542', g: '#5f8f5b', p: '#e9c99b' };
const NAME = /^([a-z]+)-([a-z]+)$/;

/**
 * Draws a product for the demo shop.
 * @param name a motif and a palette, such as `kettle-mint`
 * @returns an SVG document; undefined for an unknown name
 */
export function drawPicture(name: string): string | undefined {
  const [, motif = '', palette = ''] = NAME.exec(name) ?? [];
  const shapes = MOTIFS.get(motif);
  const colours = Object.entries(PALETTES).find(([key]) => key === palette)?.[1];
  if (shapes === undefined || colours === undefined) return undefined;
  const [ground, a, b, c, y] = colours;
  const fills = Object.entries({ a, b, c, y, ...FIXED });
  const style = fills
    .map(([key, colour]) => `.${key}{fill:${colour}}.${key.toUpperCase()}{stroke:${colour}}`)
    .join('');
  const lines = fills.map(([key]) => `.${key.toUpperCase()}`).join();
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240" width="480" height="480">` +
    `<style>${style}${lines}{fill:none;stroke-width:8;stroke-linecap:round;stroke-linejoin:round}.t{stroke-width:4}.glow{fill:${y};opacity:.18}</style>` +
    `<rect width="240" height="240" fill="${ground}"/>` +
    `<circle cx="120" cy="118" r="98" fill="#fff" opacity=".45"/>` +
    `<ellipse cx="120" cy="196" rx="84" ry="7" class="k" opacity=".14"/>${shapes}</svg>`
  );
}
