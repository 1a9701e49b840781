/** The fields of a product in our files. */
export const FIELDS = ['sku', 'name', 'description', 'price', 'stock', 'category', 'image_url'];

/** The text of a column by its name in the file; empty if there is none. */
type Cell = (column: string) => string;

/** The fields of a product with our names; undefined for rows that are not products of their own. */
export type ToProduct = (cell: Cell) => Record<string, string> | undefined;

const firstOf = (...texts: string[]) => texts.find((text) => text !== '') ?? '';
/** Backorders: there is nothing to sell. */
const stockOf = (text: string) => (text.startsWith('-') ? '0' : text);
/** `Default Category/Gear/Bags,Sale`: the last step of the first path. */
const categoryOf = (paths: string, step: string) => paths.split(',')[0]?.split(step).at(-1)?.trim() ?? '';

/** A product is a row, and one for each further variant or picture, which repeat its handle only. */
function shopify(): ToProduct {
  let product = { handle: '', title: '', description: '', category: '', image: '' };
  return (cell) => {
    const handle = cell('Handle');
    if (handle !== product.handle || cell('Title') !== '')
      product = {
        handle,
        title: cell('Title'),
        description: cell('Body (HTML)'),
        category: firstOf(cell('Type'), categoryOf(cell('Product Category'), '>')),
        image: cell('Image Src'),
      };
    if (cell('Variant Price') === '') return undefined;
    const options = [1, 2, 3].map((n) => cell(`Option${n} Value`));
    const variant = options.filter((text) => text !== '' && text !== 'Default Title').join(' / ');
    return {
      // Shopify puts an apostrophe before digits, for spreadsheets.
      sku: cell('Variant SKU').replace(/^'/, ''),
      name: [product.title, variant].filter((text) => text !== '').join(' – '),
      description: product.description,
      price: cell('Variant Price'),
      stock: stockOf(cell('Variant Inventory Qty')),
      category: product.category,
      image_url: firstOf(cell('Variant Image'), product.image),
    };
  };
}

/** A variable product cannot be bought itself; its variations name it as their parent. */
function woocommerce(): ToProduct {
  const parents: Map<string, Cell> = new Map();
  return (cell) => {
    const type = cell('Type');
    if (/variable|grouped/.test(type)) {
      parents.set(cell('SKU'), cell).set(`id:${cell('ID')}`, cell);
      return undefined;
    }
    const parent = parents.get(cell('Parent')) ?? cell;
    const own = (column: string) => firstOf(cell(column), parent(column));
    return {
      sku: cell('SKU'),
      name: cell('Name'),
      description: firstOf(own('Description'), own('Short description')),
      price: cell('Regular price'),
      stock: stockOf(cell('Stock')),
      category: categoryOf(own('Categories'), '>'),
      image_url: own('Images').split(',')[0]?.trim() ?? '',
    };
  };
}

/** Rows with a store view translate another row; what combines other rows has no price or stock. */
function magento(): ToProduct {
  return (cell) => {
    if (cell('store_view_code') !== '' || /configurable|bundle|grouped/.test(cell('product_type')))
      return undefined;
    return {
      sku: cell('sku'),
      name: cell('name'),
      description: firstOf(cell('description'), cell('short_description')),
      price: cell('price'),
      stock: stockOf(cell('qty')),
      category: categoryOf(cell('categories'), '/'),
      image_url: cell('base_image').replace(/^no_selection$/, ''),
    };
  };
}

/** Exports of other shops. WooCommerce writes prices in the local format, so its parts are sent with decimal commas. */
export const SHOPS = { shopify, woocommerce, magento };
