import express from 'express';
import { Pool } from 'pg';
import { Prisma, type PrismaClient } from '../../product-service/src/generated/prisma/client.ts';
import { createProductRepository } from '../../product-service/src/products/product.repository.ts';
import { createProductSchemas } from '../../product-service/src/products/product.schemas.ts';
import { createMoney } from '../../service-kit/src/money/money.ts';
import { createFloor } from '../orders.floor.ts';

/**
 * The statements of the services themselves, sent by bare `pg` and answered by bare Express: no Prisma, cache, limits,
 * tokens or logs, one process for all. Arguments: the databases of user-, product- and order-service.
 */
const [userUrl = '', productUrl = '', orderUrl = ''] = process.argv.slice(2);
const users = new Pool({ connectionString: userUrl, max: 10 });
const pool = new Pool({ connectionString: productUrl, max: 10 });
const floor = createFloor(orderUrl, productUrl, 10);

const db = {
  async $queryRaw(strings: TemplateStringsArray, ...values: unknown[]) {
    const { text, values: flat } = Prisma.sql(strings, ...values);
    return (await pool.query(text, flat)).rows;
  },
};
const products = createProductRepository(db as unknown as PrismaClient);
const { listQuery } = createProductSchemas(createMoney('USD'));

const app = express();
app.get('/api/products', async (request, response) => {
  const query = listQuery.parse(request.query);
  const window = { limit: query.per_page, page: 1, offset: 0, after: undefined };
  const [rows, total] = await Promise.all([products.list(query, query.sort, window), products.count(query)]);
  response.json({ products: rows, total });
});
app.get('/api/users/me', async (_request, response) => {
  const { rows } = await users.query(
    'SELECT id, username, email, role, email_verified, created_at, updated_at FROM users WHERE id = $1',
    [1],
  );
  response.json({ user: rows[0] });
});
app.post('/api/orders', express.json(), async (request, response) => {
  const placed = await floor.placeOrder(1, request.body.products[0].product_id);
  response.status(placed ? 201 : 409).json({ placed });
});
const server = app.listen(0, '127.0.0.1', () => process.send?.(server.address()));
