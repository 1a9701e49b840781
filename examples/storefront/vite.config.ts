import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defaultClientConditions, defineConfig, type Plugin, type ProxyOptions } from 'vite';
import { demoPictures } from './demo-pictures.plugin.ts';

const { USER_SERVICE_URL, PRODUCT_SERVICE_URL, ORDER_SERVICE_URL, PORT, OUT_DIR } = process.env;
const THEME = readFileSync(new URL('./src/theme.js', import.meta.url), 'utf8');
const server = {
  // That of SHOP_URL, which links in emails lead to.
  port: Number(PORT || 3000),
  strictPort: true,
  // The API at the address of the page, as behind the gateway.
  proxy: {
    '/api/users': to(USER_SERVICE_URL || 'http://localhost:5001'),
    '/api/products': to(PRODUCT_SERVICE_URL || 'http://localhost:5002'),
    '/api/orders': to(ORDER_SERVICE_URL || 'http://localhost:5003'),
  },
};

export default defineConfig({
  plugins: [demoPictures(), fontsFirst(), themeAndPolicy()],
  resolve: { conditions: ['@shop/source', ...defaultClientConditions] },
  build: {
    outDir: OUT_DIR || 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    // What the first pages need in one file: a dozen small ones cost a slow processor more than they save.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'shared',
              test: /node_modules|clients.typescript|src.(ui|lib|i18n.(index|en))|src.[a-z]+\.ts$/,
            },
          ],
        },
      },
    },
  },
  server,
  preview: server,
});

/** A service that is unavailable is a 502, as behind the gateway; Vite's own response would be a 500. */
function to(target: string): ProxyOptions {
  return {
    target,
    configure(proxy) {
      proxy.on('error', (_error, _request, response) => {
        if ('headersSent' in response && !response.headersSent)
          response.writeHead(502, { 'Content-Type': 'text/plain' }).end('Bad gateway');
      });
    },
  };
}

/** The browser asks for the fonts before it has read the stylesheet. */
function fontsFirst(): Plugin {
  return {
    name: 'fonts-first',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle = {} }) =>
        Object.keys(bundle)
          .filter((file) => /-latin-(wght|400)-normal-.*\.woff2$/.test(file))
          .map((file) => ({
            tag: 'link',
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${file}`, crossorigin: '' },
            injectTo: 'head' as const,
          })),
    },
  };
}

/**
 * The theme before the first paint, in the page itself: the browser looks no further for what to load while it waits for a
 * script. In the built pages a policy admits that one. Tokens are in localStorage, so no third-party script may run here.
 */
function themeAndPolicy(): Plugin {
  const hash = createHash('sha256').update(THEME).digest('base64');
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'sha256-${hash}'`,
    // Sellers name pictures anywhere.
    "img-src 'self' http: https: data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');
  return {
    name: 'theme-and-policy',
    transformIndexHtml: (_html, { server: isDevelopment }) => [
      ...(isDevelopment
        ? []
        : [
            {
              tag: 'meta',
              attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
              injectTo: 'head-prepend' as const,
            },
          ]),
      // Before the stylesheet, which it would wait for.
      { tag: 'script', children: THEME, injectTo: 'head-prepend' as const },
    ],
  };
}
