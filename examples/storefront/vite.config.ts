import { defaultClientConditions, defineConfig, type Plugin, type ProxyOptions } from 'vite';
import { demoPictures } from './demo-pictures.plugin.ts';

const { USER_SERVICE_URL, PRODUCT_SERVICE_URL, ORDER_SERVICE_URL, PORT } = process.env;
const server = {
  // That of SHOP_URL, which links in mails lead to.
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
  plugins: [demoPictures(), fontsFirst(), contentSecurityPolicy()],
  resolve: { conditions: ['@shop/source', ...defaultClientConditions] },
  build: { target: 'es2023', assetsInlineLimit: 0 },
  server,
  preview: server,
});

/** A service that is away is a 502, as behind the gateway; Vite's own response would be a 500. */
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

/** Of the built pages. Tokens are in localStorage, so no script of others may run here. */
function contentSecurityPolicy(): Plugin {
  const policy = [
    "default-src 'self'",
    // Sellers name pictures anywhere.
    "img-src 'self' http: https: data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
        injectTo: 'head-prepend',
      },
    ],
  };
}
