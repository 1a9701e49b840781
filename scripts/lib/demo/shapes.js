/**
 * Shapes of a picture 240 units wide and high. The last argument names the colour of the palette: lower case fills (`a` main,
 * `b` dark, `c` light, `y` accent, `w` paper, `k` ink), upper case draws a line of 8 units, with ` t` of 4.
 */

/** @param {number} x @param {number} y @param {number} w @param {number} h @param {number} r @param {string} colour */
export const box = (x, y, w, h, r, colour) =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${r}" class="${colour}"/>`;

/** @param {number} x @param {number} y @param {number} r @param {string} colour */
export const disc = (x, y, r, colour) => `<circle cx="${x}" cy="${y}" r="${r}" class="${colour}"/>`;

/** @param {number} x @param {number} y @param {number} rx @param {number} ry @param {string} colour */
export const oval = (x, y, rx, ry, colour) =>
  `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" class="${colour}"/>`;

/** @param {string} d @param {string} colour */
export const path = (d, colour) => `<path d="${d}" class="${colour}"/>`;

/** @param {string} transform @param {...string} shapes */
export const turned = (transform, ...shapes) => `<g transform="${transform}">${shapes.join('')}</g>`;

/** @param {number} count @param {(index: number) => string} draw */
export const times = (count, draw) => Array.from({ length: count }, (_, index) => draw(index)).join('');
