import { box, disc, oval, path, times, turned } from '../shapes.js';

const sheet = (/** @type {string} */ colour) => box(56, 58, 128, 130, 10, colour);
const pencil = (/** @type {number} */ angle, /** @type {string} */ colour) =>
  turned(
    `rotate(${angle} 120 200)`,
    box(111, 74, 18, 112, 3, colour),
    path('M111 76h18l-9 -30z', 'p'),
    path('M116 60h8l-4 -14z', 'k'),
    box(111, 172, 18, 14, 3, 'k'),
  );

/** @type {Record<string, string>} */
export const GARDEN_AND_STATIONERY = {
  wateringcan:
    path('M84 84q50 -44 84 10', 'B') +
    path('M170 112q34 4 24 40t-28 26', 'A') +
    path('M80 150l-50 -44', 'A') +
    turned('rotate(-48 30 100)', box(14, 92, 36, 14, 5, 'y')) +
    box(72, 92, 100, 98, 14, 'a') +
    path('M72 146h100v30a14 14 0 0 1 -14 14h-72a14 14 0 0 1 -14 -14z', 'b') +
    path('M88 110v64', 'C'),
  trowel: turned(
    'rotate(38 120 120)',
    path('M96 40q24 -22 48 0v56q-24 30 -48 0z', 'c'),
    path('M120 40v60', 'W t'),
    box(114, 104, 12, 34, 3, 'k'),
    box(107, 134, 26, 72, 12, 'a'),
    box(107, 134, 26, 12, 4, 'y'),
  ),
  fork: turned(
    'rotate(30 120 120)',
    path('M96 36v52q24 14 48 0v-52M120 36v66', 'C'),
    box(114, 100, 12, 34, 3, 'k'),
    box(107, 132, 26, 72, 12, 'a'),
    box(107, 132, 26, 12, 4, 'y'),
  ),
  secateurs: turned(
    'rotate(28 120 120)',
    path('M114 108q-44 -44 -6 -92q28 44 26 88z', 'c'),
    path('M124 112q34 -24 22 -66', 'K'),
    disc(120, 112, 12, 'k'),
    path('M116 118q-34 34 -26 86', 'A'),
    path('M126 118q32 32 24 86', 'B'),
    disc(120, 112, 5, 'y'),
  ),
  gloves:
    turned(
      'rotate(-10 90 130)',
      path('M60 184v-92q0 -12 11 -12t11 12v-18q0 -12 11 -12t11 12v20q0 -10 10 -10t10 12v88z', 'a'),
      path('M60 132q-24 -14 -22 -32t22 8z', 'a'),
      box(56, 168, 72, 22, 8, 'y'),
    ) +
    turned(
      'rotate(12 160 140) translate(14 14)',
      path('M116 174v-82q0 -12 11 -12t11 12v-14q0 -12 11 -12t11 12v20q0 -10 10 -10t10 12v74z', 'b'),
      box(112, 158, 72, 22, 8, 'c'),
    ),
  seeds:
    box(66, 46, 108, 144, 8, 'a') +
    box(66, 46, 108, 30, 8, 'b') +
    disc(120, 132, 38, 'w') +
    path('M120 160v-46', 'G') +
    path('M120 134q-26 0 -28 -22q26 -2 28 22zM120 126q24 0 28 -20q-26 -2 -28 20z', 'g') +
    box(92, 56, 56, 8, 4, 'w') +
    times(3, (i) => oval(92 + i * 28, 180, 4, 3, 'y')),
  planter:
    times(5, (i) =>
      path(
        `M${62 + i * 29} 126q-16 -26 0 -${56 + (i % 2) * 16}q16 34 0 ${56 + (i % 2) * 16}z`,
        i % 2 ? 'y' : 'g',
      ),
    ) +
    box(36, 120, 168, 66, 10, 'a') +
    box(36, 154, 168, 32, 10, 'b') +
    path('M84 124v60M156 124v60', 'C t') +
    box(30, 114, 180, 16, 7, 'c'),
  birdhouse:
    box(112, 168, 16, 30, 2, 'k') +
    path('M72 92l48 -40 48 40v82h-96z', 'a') +
    path('M120 52l48 40v82h-48z', 'b') +
    path('M56 104l64 -56 64 56', 'K') +
    disc(120, 116, 18, 'k') +
    path('M120 148v0M120 148h26', 'Y') +
    path('M164 62q14 -22 30 -6l12 -2 -8 10q-4 18 -24 12z', 'y'),
  hose:
    disc(112, 120, 66, 'A') +
    disc(112, 120, 50, 'B') +
    disc(112, 120, 34, 'A') +
    disc(112, 120, 14, 'k') +
    path('M112 186q60 4 84 -20', 'A') +
    turned('rotate(-36 200 160)', box(190, 148, 26, 18, 4, 'y')) +
    box(60, 184, 104, 10, 5, 'k'),
  notebook: turned(
    'rotate(-5 120 120)',
    box(66, 44, 116, 148, 10, 'w'),
    box(58, 40, 116, 148, 10, 'a'),
    box(58, 40, 22, 148, 8, 'b'),
    box(100, 70, 56, 26, 5, 'w'),
    path('M110 80h36M110 88h20', 'A t'),
    path('M158 40v148', 'Y t'),
  ),
  pen: turned(
    'rotate(40 120 120)',
    box(106, 30, 28, 104, 10, 'a'),
    box(106, 30, 28, 40, 10, 'b'),
    path('M140 40v44', 'Y t'),
    path('M108 134h24l-4 20h-16z', 'k'),
    path('M112 154h16l-8 44z', 'y'),
    path('M120 160v26', 'K t'),
  ),
  pencils: pencil(-24, 'b') + pencil(-8, 'a') + pencil(8, 'y') + pencil(24, 'c'),
  ink:
    box(92, 50, 56, 34, 8, 'k') +
    box(100, 82, 40, 16, 2, 'c') +
    path('M88 96h64q24 10 24 34v46a14 14 0 0 1 -14 14h-84a14 14 0 0 1 -14 -14v-46q0 -24 24 -34z', 'c') +
    path('M64 134h112v42a14 14 0 0 1 -14 14h-84a14 14 0 0 1 -14 -14z', 'a') +
    box(92, 142, 56, 32, 4, 'w') +
    path('M120 168q-12 -8 0 -20q12 12 0 20z', 'b'),
  scissors:
    path('M124 120l-42 -84q-8 18 0 34l32 58z', 'c') +
    path('M116 120l42 -84q8 18 0 34l-32 58z', 'w') +
    path('M114 126q-40 0 -40 32t32 32q24 -6 20 -60z', 'A') +
    path('M126 126q40 0 40 32t-32 32q-24 -6 -20 -60z', 'B') +
    disc(120, 118, 6, 'y'),
  tape:
    disc(108, 118, 60, 'a') +
    disc(108, 118, 46, 'b') +
    disc(108, 118, 30, 'w') +
    disc(108, 118, 30, 'C t') +
    path('M108 178h92l-8 -12h-62z', 'a') +
    path('M200 178l-6 -6 2 12z', 'y') +
    box(120, 166, 76, 12, 0, 'a'),
  envelope: turned(
    'rotate(-7 120 126)',
    box(42, 74, 156, 108, 8, 'c'),
    path('M44 178l58 -54M196 178l-58 -54', 'A t'),
    path('M42 82l78 62 78 -62q0 -8 -8 -8h-140q-8 0 -8 8z', 'a'),
    disc(120, 136, 15, 'y'),
    path('M114 136l5 5 8 -9', 'K t'),
  ),
  ruler: turned(
    'rotate(-34 120 120)',
    box(22, 92, 196, 54, 6, 'a'),
    box(22, 126, 196, 20, 6, 'b'),
    times(13, (i) => path(`M${36 + i * 14} 94v${i % 2 ? 10 : 20}`, 'K t')),
    disc(202, 126, 6, 'w'),
  ),
  stapler:
    path('M50 178h146v12h-146q-6 -6 0 -12z', 'k') +
    path('M58 170l126 -22q14 0 14 14v14h-140z', 'c') +
    path('M50 128q76 -70 142 -18q14 14 6 40l-144 20q-18 -20 -4 -42z', 'a') +
    path('M50 142q70 -16 150 -8v16l-146 20q-12 -12 -4 -28z', 'b') +
    disc(180, 140, 7, 'y'),
  calendar:
    sheet('w') +
    path('M56 96v-28a10 10 0 0 1 10 -10h108a10 10 0 0 1 10 10v28z', 'a') +
    path('M86 46v24M154 46v24', 'K') +
    times(3, (y) =>
      times(5, (x) => box(70 + x * 22, 108 + y * 24, 14, 14, 4, x === 3 && y === 1 ? 'y' : 'c')),
    ),
  penpot:
    turned(
      'translate(-22 -12) rotate(-8 120 130)',
      box(112, 50, 14, 90, 4, 'y'),
      path('M112 52h14l-7 -18z', 'p'),
    ) +
    turned('rotate(10 120 130)', box(116, 44, 12, 90, 5, 'k'), disc(122, 44, 10, 'c')) +
    turned(
      'translate(26 -6) rotate(16 120 130)',
      box(112, 58, 14, 80, 4, 'b'),
      path('M112 60h14l-7 -18z', 'p'),
    ) +
    path('M76 112h88l-8 78h-72z', 'a') +
    path('M80 150h80l-4 40h-72z', 'b') +
    box(72, 104, 96, 18, 8, 'c'),
};
