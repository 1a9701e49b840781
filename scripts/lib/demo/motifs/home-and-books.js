import { box, disc, oval, path, times, turned } from '../shapes.js';

/** A tilted book with a drawing on its cover. */
const book = (/** @type {string} */ drawing) =>
  box(72, 44, 112, 150, 6, 'w') +
  path('M72 186h112v8h-108q-6 0 -6 -6z', 'c') +
  box(64, 38, 112, 146, 6, 'a') +
  box(64, 38, 14, 146, 5, 'b') +
  drawing +
  box(92, 52, 70, 7, 3, 'w') +
  box(92, 64, 46, 5, 2, 'w');
const leaf = (/** @type {number} */ angle, /** @type {string} */ colour) =>
  turned(
    `rotate(${angle} 120 132)`,
    path('M120 132q-26 -36 0 -84q26 48 0 84z', colour),
    path('M120 126v-56', 'K t'),
  );

/** @type {Record<string, string>} */
export const HOME_AND_BOOKS = {
  lamp:
    path('M66 186l40 -70 -26 -44', 'K') +
    disc(106, 116, 9, 'y') +
    turned(
      'rotate(-24 92 66)',
      path('M52 92q4 -46 46 -46t46 46z', 'a'),
      path('M52 92h92l-4 -14h-84z', 'b'),
      oval(98, 93, 20, 7, 'y'),
    ) +
    box(36, 182, 76, 12, 6, 'a') +
    path('M104 112l60 84h-118z', 'glow'),
  blanket:
    path('M52 84h136v94q-14 14 -28 0t-28 0 -28 0 -28 0 -24 0z', 'a') +
    times(4, (i) => path(`M${70 + i * 32} 84v96`, 'C t')) +
    path('M52 112h136M52 142h136', 'B t') +
    box(46, 66, 148, 30, 14, 'b'),
  clock:
    disc(120, 122, 70, 'a') +
    disc(120, 122, 56, 'w') +
    times(12, (i) => turned(`rotate(${i * 30} 120 122)`, box(118, 70, 4, i % 3 ? 7 : 12, 2, 'k'))) +
    path('M120 122v-36', 'K') +
    path('M120 122l26 16', 'K') +
    path('M120 134l0 -50', 'Y t') +
    disc(120, 122, 6, 'y'),
  plant:
    leaf(-48, 'y') +
    leaf(48, 'y') +
    leaf(-20, 'g') +
    leaf(22, 'g') +
    path('M74 126h92l-12 66h-68z', 'a') +
    path('M80 160h80l-6 32h-68z', 'b') +
    box(68, 118, 104, 20, 8, 'c'),
  towel:
    box(40, 64, 160, 10, 5, 'k') +
    path('M64 66h92v118h-92z', 'a') +
    path('M96 66h70v94h-70z', 'c') +
    path('M96 130h70M96 142h70', 'B t') +
    times(8, (i) => path(`M${68 + i * 4} 184v8`, 'B t')),
  rug: turned(
    'skewX(-14) translate(32 0)',
    box(36, 84, 168, 100, 4, 'a'),
    box(50, 98, 140, 72, 3, 'b'),
    times(
      3,
      (i) =>
        path(`M${72 + i * 48} 134l-18 -22 -0 0 18 -8 18 8z`, 'y') +
        path(`M${72 + i * 48} 136l22 14 -22 14 -22 -14z`, 'c'),
    ),
    times(9, (i) => path(`M34 ${90 + i * 11}h-10M206 ${90 + i * 11}h10`, 'C t')),
  ),
  frame:
    box(58, 46, 124, 146, 4, 'a') +
    box(58, 46, 10, 146, 2, 'b') +
    box(74, 62, 92, 114, 1, 'w') +
    disc(140, 96, 14, 'y') +
    path('M82 166v-24l26 -36 24 30 14 -12 14 20v22z', 'b'),
  vase:
    path('M120 70q-10 -30 -34 -36M120 70q4 -34 30 -40', 'G t') +
    disc(84, 36, 13, 'y') +
    disc(152, 32, 11, 'c') +
    disc(118, 50, 9, 'y') +
    path('M120 72v-18', 'G t') +
    path('M102 68h36q-6 26 18 46t-6 76h-60q-30 -50 -6 -76t18 -46z', 'a') +
    path('M78 142q42 22 84 0q-2 28 -12 48h-60q-12 -20 -12 -48z', 'b'),
  candle:
    times(3, (i) => {
      const x = 62 + i * 44;
      const y = [108, 76, 124][i] ?? 100;
      return (
        box(x, y, 30, 190 - y, 5, i === 1 ? 'a' : 'c') +
        box(x, y, 10, 190 - y, 4, i === 1 ? 'b' : 'a') +
        path(`M${x + 15} ${y}v-8`, 'K t') +
        path(`M${x + 15} ${y - 38}q-20 24 0 32q20 -8 0 -32z`, 'y')
      );
    }) + box(44, 184, 152, 10, 5, 'k'),
  cushion:
    path('M54 72q66 18 132 0q16 50 0 112q-66 -16 -132 0q-18 -56 0 -112z', 'a') +
    path('M58 128q62 12 124 0q2 24 -2 52q-58 -14 -120 0q-6 -24 -2 -52z', 'b') +
    path('M84 84q36 44 72 88M156 84q-36 44 -72 88', 'C t') +
    disc(120, 128, 8, 'y'),
  chair:
    path('M78 152l-16 42M162 152l16 42', 'K') +
    path('M82 60h76a10 10 0 0 1 10 10v74h-96v-74a10 10 0 0 1 10 -10z', 'a') +
    path('M104 64v76M136 64v76', 'B t') +
    box(64, 134, 112, 26, 12, 'b') +
    path('M58 112v42M182 112v42', 'Y'),
  mirror:
    disc(120, 118, 72, 'a') +
    disc(120, 118, 58, 'c') +
    path('M84 142l56 -66M106 156l54 -64', 'W') +
    path('M120 46q-16 -8 -10 -18', 'K t') +
    disc(108, 28, 5, 'k'),
  bookleaf: book(
    path('M126 166v-62', 'Y t') +
      times(4, (i) =>
        path(
          `M126 ${156 - i * 16}q-28 -2 -30 -22q26 0 30 22zM126 ${150 - i * 16}q28 -2 30 -22q-26 0 -30 22z`,
          i % 2 ? 'c' : 'y',
        ),
      ),
  ),
  bookgrain: book(
    disc(127, 126, 34, 'y') +
      path('M100 120q26 -24 54 0M104 138q24 -22 48 0', 'B') +
      path('M92 164h70', 'C t'),
  ),
  bookisland: book(
    box(78, 120, 98, 64, 0, 'c') +
      path('M88 122q36 -58 78 0z', 'y') +
      path('M78 140q12 -8 24 0t24 0 24 0 26 0M78 158q12 -8 24 0t24 0 24 0 26 0', 'B t') +
      disc(150, 86, 9, 'w'),
  ),
  bookfold: book(
    path('M96 164v-58l32 -20v58z', 'w') +
      path('M128 144v-58l34 22v56z', 'c') +
      path('M96 164l32 -20 34 20', 'Y t'),
  ),
  bookdots: book(
    times(4, (y) =>
      times(4, (x) =>
        disc(98 + x * 20, 92 + y * 22, (x + y) % 3 === 0 ? 8 : 5, (x + y) % 3 === 0 ? 'y' : 'c'),
      ),
    ),
  ),
  bookbird: book(
    path('M92 132q14 -40 48 -28l20 -6 -12 16q2 36 -30 42q-22 2 -26 -24z', 'y') +
      path('M104 130q14 -14 32 4q-12 20 -32 -4z', 'c') +
      disc(142, 112, 3, 'k') +
      path('M112 156v14M122 156v14M92 172h66', 'K t'),
  ),
  bookbridge: book(
    path('M78 146h98', 'W') +
      path('M84 146a20 26 0 0 1 40 0a20 26 0 0 1 40 0', 'Y') +
      path('M78 164q12 -8 24 0t24 0 24 0 26 0', 'C t') +
      disc(146, 90, 11, 'c'),
  ),
  bookmoon: book(
    disc(128, 110, 28, 'y') +
      disc(140, 102, 26, 'a') +
      path('M78 166h98v18h-98z', 'k') +
      path('M96 166v-18h12v-16h16v34M132 166v-24h20v24', 'K') +
      disc(98, 88, 3, 'w') +
      disc(158, 134, 3, 'w') +
      disc(104, 140, 2, 'w'),
  ),
};
