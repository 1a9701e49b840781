import express from 'express';
import { Pool } from 'pg';
import { createProductRepository } from '../../product-service/src/products/product.repository.ts';
import { createProductSchemas } from '../../product-service/src/products/product.schemas.ts';
import { createMoney } from '../../service-kit/src/money/money.ts';
import { createQuery } from '../../service-kit/src/postgres/query.ts';
import { createFloor } from '../orders.floor.ts';

/**
 * The services' own statements by bare `pg` behind bare Express: without cache, limits, tokens or logs, in one process.
 * Arguments: the databases of user-, product- and order-service.
 */
const [userUrl = '', productUrl = '', orderUrl = ''] = process.argv.slice(2);
const users = new Pool({ connectionString: userUrl, max: 10 });
const pool = new Pool({ connectionString: productUrl, max: 10 });
const floor = createFloor(orderUrl, productUrl, 10);

const query = createQuery(pool, false);
const products = createProductRepository({ query, unprepared: query });
const { listQuery } = createProductSchemas(createMoney('USD'));

const app = express();
app.get('/api/products', async (request, response) => {
  const query = listQuery.parse(request.query);
  const window = { limit: query.per_page, page: 1, offset: 0, after: undefined };
  response.json(await products.list(query, query.sort, window));
});
app.get('/api/users/me', async (_request, response) => {
  const { rows } = await users.query(
    'SELECT id, username, email, role, email_verified, created_at, updated_at FROM users WHERE id = $1',
    [1],
  );
  response.json({ user: rows[0] });
});
app.post('/api/orders', express.json(), async (request, response) => {
  const placed = await floor.placeOrder(1, request.body.products);
  response.status(placed ? 201 : 409).json({ placed });
});
const server = app.listen(0, '127.0.0.1', () => process.send?.(server.address()));
