import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';
import { drawPicture } from '../demo/pictures.ts';

const CATALOGUE = new URL('../demo/catalogue.csv', import.meta.url);
const PICTURE = /\/pictures\/([a-z-]+)\.svg/g;

/** Draws the pictures of `npm run seed`. A shop with pictures of its own leaves this out. */
export function demoPictures(): Plugin {
  return {
    name: 'demo-pictures',
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const [, name = ''] = /^\/pictures\/([a-z-]+)\.svg$/.exec(request.url ?? '') ?? [];
        const picture = drawPicture(name);
        if (picture === undefined) return next();
        response.setHeader('Content-Type', 'image/svg+xml').end(picture);
      });
    },
    generateBundle() {
      const names = new Set(
        Array.from(readFileSync(CATALOGUE, 'utf8').matchAll(PICTURE), ([, name]) => name),
      );
      for (const name of names) {
        const source = name && drawPicture(name);
        if (source) this.emitFile({ type: 'asset', fileName: `pictures/${name}.svg`, source });
      }
    },
  };
}
