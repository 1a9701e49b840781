import { box, disc, oval, path, times, turned } from '../shapes.js';

/** @param {number} x @param {number} y @param {number} columns @param {number} rows */
const keys = (x, y, columns, rows) =>
  times(rows, (row) =>
    times(columns, (column) =>
      box(x + column * 17, y + row * 17, 14, 14, 3, (row + column) % 7 === 3 ? 'y' : row === 0 ? 'c' : 'w'),
    ),
  );
const cap = (
  /** @type {number} */ x,
  /** @type {number} */ y,
  /** @type {string} */ side,
  /** @type {string} */ top,
) => path(`M${x} ${y + 56}l10 -50h44l10 50z`, side) + box(x + 13, y, 38, 36, 8, top);

/** @type {Record<string, string>} */
export const DESK_AND_KITCHEN = {
  keyboard: turned(
    'rotate(-5 120 130)',
    box(26, 88, 188, 90, 14, 'a'),
    box(26, 160, 188, 18, 9, 'b'),
    keys(36, 98, 10, 3),
    box(70, 149, 96, 9, 3, 'c'),
  ),
  splitkeyboard:
    turned(
      'rotate(12 74 130)',
      box(26, 92, 84, 82, 14, 'a'),
      keys(36, 102, 4, 3),
      box(58, 152, 40, 12, 4, 'y'),
    ) +
    turned(
      'rotate(-12 166 130)',
      box(130, 92, 84, 82, 14, 'a'),
      keys(140, 102, 4, 3),
      box(142, 152, 40, 12, 4, 'y'),
    ),
  mouse:
    path('M120 56q-30 -14 -46 -34', 'K t') +
    box(74, 52, 92, 138, 46, 'a') +
    path('M74 116v28a46 46 0 0 0 92 0v-28z', 'b') +
    path('M120 52v60', 'B t') +
    box(112, 74, 16, 30, 8, 'y'),
  verticalmouse:
    path('M70 188q-8 -124 60 -130t62 130z', 'a') +
    path('M70 188q-4 -60 16 -98q60 10 48 98z', 'b') +
    path('M150 74q20 34 20 70', 'C t') +
    box(140, 92, 14, 28, 7, 'y'),
  trackball:
    path('M54 176q0 -100 74 -100t64 72v36q-60 12 -138 -8z', 'a') +
    disc(94, 124, 34, 'k') +
    disc(94, 124, 27, 'y') +
    disc(84, 114, 8, 'w') +
    path('M134 80q24 24 18 100', 'B t') +
    path('M152 122h38', 'B t'),
  deskmat: turned(
    'skewX(-8) translate(18 0)',
    box(30, 92, 184, 92, 8, 'a'),
    box(38, 100, 168, 76, 5, 'C t'),
    box(58, 118, 84, 34, 6, 'w'),
    box(160, 116, 26, 40, 13, 'k'),
  ),
  numpad:
    box(66, 50, 108, 140, 16, 'a') +
    box(66, 172, 108, 18, 9, 'b') +
    box(80, 62, 54, 22, 5, 'k') +
    disc(154, 73, 13, 'y') +
    times(3, (y) => times(3, (x) => box(80 + x * 29, 94 + y * 26, 22, 20, 5, x === 2 ? 'c' : 'w'))),
  keycaps:
    cap(48, 126, 'b', 'a') +
    cap(128, 126, 'k', 'y') +
    cap(88, 72, 'b', 'c') +
    path('M104 84h14M104 94h9', 'K t'),
  knife: turned(
    'rotate(-32 120 120)',
    path('M34 108h116v34h-60q-40 0 -56 -34z', 'w'),
    path('M34 108h116v10h-110z', 'c'),
    box(146, 102, 70, 30, 10, 'a'),
    disc(164, 117, 4, 'k'),
    disc(186, 117, 4, 'k'),
  ),
  pan:
    path('M160 122l56 -34', 'K') +
    turned('rotate(-31 196 100)', box(166, 92, 54, 16, 8, 'b')) +
    oval(100, 140, 72, 46, 'k') +
    oval(100, 132, 72, 46, 'a') +
    oval(100, 132, 56, 34, 'b') +
    oval(96, 128, 26, 16, 'w') +
    disc(98, 127, 8, 'y'),
  grinder:
    path('M120 66h42', 'K') +
    disc(166, 62, 9, 'y') +
    path('M86 108a34 40 0 0 1 68 0z', 'c') +
    box(114, 60, 12, 20, 3, 'k') +
    box(74, 104, 92, 84, 10, 'a') +
    box(86, 128, 68, 46, 6, 'b') +
    disc(120, 150, 6, 'y'),
  press:
    box(116, 44, 8, 46, 3, 'k') +
    disc(120, 46, 10, 'y') +
    box(78, 82, 84, 12, 6, 'k') +
    path('M162 104h22v60h-22', 'A') +
    box(82, 94, 76, 96, 10, 'w') +
    path('M82 128h76v52a10 10 0 0 1 -10 10h-56a10 10 0 0 1 -10 -10z', 'b') +
    box(82, 122, 76, 8, 2, 'a'),
  kettle:
    path('M172 156q26 -4 26 -40t-20 -40', 'A') +
    path('M76 130q-34 -8 -32 -62l-12 -4', 'A') +
    path('M84 104h72l20 84h-112z', 'a') +
    path('M72 156h96l8 32h-112z', 'b') +
    path('M92 104a28 24 0 0 1 56 0z', 'c') +
    disc(120, 78, 8, 'k'),
  board:
    turned(
      'rotate(-8 120 126)',
      box(52, 84, 140, 102, 16, 'b'),
      box(50, 76, 140, 102, 16, 'a'),
      times(4, (i) => path(`M72 ${96 + i * 20}h${60 + (i % 2) * 30}`, 'C t')),
      disc(172, 94, 8, 'k'),
    ) +
    disc(142, 148, 17, 'y') +
    disc(110, 156, 13, 'y') +
    path('M142 132q2 -14 12 -16M110 144q0 -10 -8 -14', 'G t'),
  scale:
    path('M78 108h84l14 80h-112z', 'a') +
    oval(120, 100, 74, 18, 'b') +
    oval(120, 94, 74, 18, 'w') +
    box(88, 138, 64, 30, 6, 'k') +
    path('M100 158v-10M112 158v-10M126 148h12v10', 'Y t') +
    disc(102, 80, 15, 'y') +
    disc(130, 76, 18, 'c'),
  bowls:
    path('M44 118h152a76 70 0 0 1 -152 0z', 'a') +
    path('M60 154q60 40 120 0q-14 34 -60 34t-60 -34z', 'b') +
    path('M62 92h116a58 40 0 0 1 -116 0z', 'c') +
    path('M82 70h76a38 30 0 0 1 -76 0z', 'y'),
  teapot:
    path('M164 108q36 -8 34 28t-46 36', 'A') +
    path('M82 128q-36 0 -42 -40', 'A') +
    oval(120, 138, 56, 50, 'a') +
    path('M68 156q52 30 104 0q-12 32 -52 32t-52 -32z', 'b') +
    oval(120, 94, 32, 9, 'c') +
    disc(120, 80, 9, 'y'),
  mug:
    path('M158 98h16a20 20 0 0 1 20 20v16a20 20 0 0 1 -20 20h-16', 'A') +
    box(60, 78, 100, 112, 20, 'a') +
    path('M60 142h100v28a20 20 0 0 1 -20 20h-60a20 20 0 0 1 -20 -20z', 'b') +
    oval(110, 80, 50, 12, 'c') +
    oval(110, 82, 40, 8, 'k') +
    path('M96 56q-8 -10 0 -20M120 56q-8 -10 0 -20', 'C t'),
  pot:
    path('M48 120h-18M192 120h18', 'K') +
    box(48, 98, 144, 90, 18, 'a') +
    path('M48 146h144v24a18 18 0 0 1 -18 18h-108a18 18 0 0 1 -18 -18z', 'b') +
    path('M46 96q74 -52 148 0z', 'c') +
    disc(120, 62, 10, 'y'),
  jars:
    times(
      3,
      (i) =>
        box(44 + i * 54, 112, 46, 76, 10, 'w') +
        box(44 + i * 54, 142, 46, 46, 10, ['a', 'y', 'b'][i] ?? 'a') +
        box(47 + i * 54, 98, 40, 16, 5, 'k'),
    ) +
    times(2, (i) => box(70 + i * 54, 60, 44, 34, 10, i ? 'c' : 'a') + box(74 + i * 54, 50, 36, 12, 4, 'k')),
  apron:
    path('M92 74q-2 -34 28 -34t28 34', 'K t') +
    path('M88 70h64l8 46h30v66a8 8 0 0 1 -8 8h-124a8 8 0 0 1 -8 -8v-66h30z', 'a') +
    path('M50 120h140', 'B t') +
    box(84, 132, 72, 36, 8, 'b') +
    path('M120 132v36', 'C t'),
  oil:
    box(106, 40, 28, 20, 4, 'k') +
    box(110, 58, 20, 34, 2, 'b') +
    path('M110 88h20q30 12 30 40v50a12 12 0 0 1 -12 12h-56a12 12 0 0 1 -12 -12v-50q0 -28 30 -40z', 'a') +
    box(80, 128, 80, 42, 0, 'w') +
    path('M120 160q-22 -12 0 -26q22 14 0 26z', 'y'),
};
