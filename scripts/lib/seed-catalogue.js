/**
 * @typedef {object} SeedProduct
 * @property {string} sku
 * @property {string} name
 * @property {string} description
 * @property {number} price
 * @property {number} stock
 * @property {string} category
 */

/** Category, its SKU prefix, and [name, price, stock, description]. Prices are whole: every currency can hold them. */
/** @type {[string, string, [string, number, number, string][]][]} */
const SHELVES = [
  [
    'Audio',
    'AUD',
    [
      ['Studio Headphones', 149, 40, 'Closed, 38 ohm, with a coiled cable of three metres.'],
      ['Wireless Earbuds', 89, 120, 'Six hours of music, another eighteen from the case.'],
      ['Bookshelf Speakers', 229, 18, 'A pair, with a silk tweeter and a five-inch woofer.'],
      ['Pocket Radio', 35, 60, 'FM and DAB+, two AA cells last a month of mornings.'],
      ['Turntable', 279, 9, 'Belt drive, 33 and 45 rpm, with a built-in preamplifier.'],
      ['Podcast Microphone', 119, 25, 'Dynamic, USB and XLR, quiet towards the keyboard.'],
      ['Soundbar', 199, 14, 'Fits under a television, has a night mode.'],
      ['Headphone Stand', 24, 75, 'Oak, with a felt-lined foot.'],
    ],
  ],
  [
    'Computers',
    'CMP',
    [
      ['Laptop 14"', 1099, 15, '16 GB of memory, 1 TB of storage, 1.3 kg.'],
      ['Mini PC', 499, 22, 'As small as a paperback, drives three screens.'],
      ['27" Monitor', 329, 30, '2560 × 1440, height-adjustable, matte.'],
      ['USB-C Dock', 139, 45, 'One cable: screen, network, power, five devices.'],
      ['External SSD 2 TB', 159, 55, 'Survives a fall from two metres.'],
      ['Laptop Stand', 45, 80, 'Folds flat, aluminium.'],
      ['Webcam', 79, 50, '1080p, with a shutter that really closes.'],
      ['Graphics Tablet', 189, 12, 'A4, with a pen that needs no battery.'],
    ],
  ],
  [
    'Keyboards & Mice',
    'KEY',
    [
      ['Mechanical Keyboard', 119, 35, 'Brown switches, 87 keys, hot-swappable.'],
      ['Quiet Keyboard', 59, 70, 'Low keys, for shared desks.'],
      ['Split Keyboard', 249, 8, 'Two halves, tented, programmable.'],
      ['Vertical Mouse', 69, 40, 'For wrists that hurt.'],
      ['Travel Mouse', 29, 110, 'Wireless, one AA cell, folds.'],
      ['Trackball', 55, 20, 'For the thumb, with four buttons.'],
      ['Desk Mat', 25, 90, 'Wool felt, 90 × 40 cm.'],
    ],
  ],
  [
    'Kitchen',
    'KIT',
    [
      ['Chef’s Knife', 89, 33, '20 cm, carbon steel, wants to be dried.'],
      ['Cast Iron Pan', 49, 28, '28 cm, seasoned, lasts for generations.'],
      ['Coffee Grinder', 159, 16, 'Conical burrs, forty steps.'],
      ['French Press', 34, 65, 'One litre, double-walled.'],
      ['Kettle', 59, 48, 'Gooseneck, holds the chosen temperature.'],
      ['Cutting Board', 39, 52, 'End-grain beech, 40 × 30 cm.'],
      ['Kitchen Scale', 29, 77, 'To the gram, up to 5 kg.'],
      ['Mixing Bowls', 36, 41, 'Three of steel, with lids.'],
    ],
  ],
  [
    'Home',
    'HOM',
    [
      ['Desk Lamp', 69, 37, 'Warm to cold light, no flicker.'],
      ['Wool Blanket', 95, 21, '200 × 140 cm, from one flock.'],
      ['Wall Clock', 42, 44, 'Silent movement.'],
      ['Plant Pot', 19, 130, 'Terracotta, with a saucer.'],
      ['Bath Towel', 27, 100, 'Organic cotton, 500 g/m².'],
      ['Door Mat', 31, 58, 'Coir, 60 × 40 cm.'],
      ['Picture Frame', 22, 85, 'A3, ash, real glass.'],
    ],
  ],
  [
    'Books',
    'BOK',
    [
      ['The Patient Gardener', 24, 60, 'A year in forty square metres.'],
      ['Bread in Five Chapters', 29, 45, 'Flour, water, salt, time, heat.'],
      ['Maps of Small Islands', 38, 19, 'Fifty places with fewer than a hundred people.'],
      ['A Short History of Paper', 21, 34, 'From rags to receipts.'],
      ['Queues and Queueing', 45, 11, 'Why the other line is faster.'],
      ['Birds from the Window', 18, 72, 'A field guide for people who stay in.'],
      ['Letters to a Bridge Builder', 26, 27, 'A novel in forty letters.'],
    ],
  ],
  [
    'Outdoor',
    'OUT',
    [
      ['Two-Person Tent', 259, 13, '1.9 kg, stands without pegs.'],
      ['Sleeping Bag', 149, 24, 'Down, comfortable to 2 °C.'],
      ['Head Torch', 39, 95, '300 lumens, with a red light.'],
      ['Water Bottle', 28, 140, 'Steel, one litre.'],
      ['Rain Jacket', 139, 31, 'Packs into its own pocket.'],
      ['Camping Stove', 64, 26, 'Boils half a litre in two minutes.'],
      ['Daypack 20 l', 79, 39, 'With a chest strap and a rain cover.'],
      ['Trekking Poles', 85, 17, 'A pair, cork handles.'],
    ],
  ],
  [
    'Toys & Games',
    'TOY',
    [
      ['Wooden Blocks', 45, 50, 'A hundred pieces of beech.'],
      ['Chess Set', 65, 23, 'Weighted pieces, folding board.'],
      ['Kite', 32, 36, 'Flies from two Beaufort on.'],
      ['Jigsaw 1,000', 19, 88, 'A harbour at night.'],
      ['Marble Run', 54, 29, 'Seventy parts, endless arguments.'],
      ['Card Game', 14, 160, 'Two to six players, twenty minutes.'],
      ['Sold-Out Robot', 129, 0, 'Everybody wants it, nobody has it.'],
    ],
  ],
];

/** @returns {SeedProduct[]} the same at every call */
export function catalogue() {
  return SHELVES.flatMap(([category, prefix, products]) =>
    products.map(([name, price, stock, description], index) => ({
      sku: `DEMO-${prefix}-${String(index + 1).padStart(2, '0')}`,
      name,
      description,
      price,
      stock,
      category,
    })),
  );
}
