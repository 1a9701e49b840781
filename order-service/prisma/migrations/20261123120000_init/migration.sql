CREATE TABLE orders (
  id               SERIAL PRIMARY KEY,
  user_id          INTEGER NOT NULL,
  placement        TEXT NOT NULL CHECK (placement IN ('PLACING', 'PLACED', 'REJECTED')),
  status           TEXT CHECK (status IN ('pending', 'processing', 'shipped', 'delivered', 'cancelled')),
  reservation_id   UUID NOT NULL,
  deadline         TIMESTAMPTZ(3) NOT NULL,
  total_minor      BIGINT,
  currency         TEXT NOT NULL,
  shipping_address JSONB,
  note             TEXT,
  created_at       TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  updated_at       TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  CONSTRAINT orders_placed_is_complete CHECK ((placement = 'PLACED') = (status IS NOT NULL AND total_minor IS NOT NULL))
);
CREATE UNIQUE INDEX orders_reservation_id_key ON orders (reservation_id);
-- Lists, newest first: a buyer's, a buyer's of one status, everybody's, everybody's of one status.
CREATE INDEX orders_of_user ON orders (user_id, id DESC) WHERE placement = 'PLACED';
CREATE INDEX orders_of_user_by_status ON orders (user_id, status, id DESC) WHERE placement = 'PLACED';
CREATE INDEX orders_all ON orders (id DESC) WHERE placement = 'PLACED';
CREATE INDEX orders_all_by_status ON orders (status, id DESC) WHERE placement = 'PLACED';
-- Rejected orders are forgotten after some days.
CREATE INDEX orders_rejected ON orders (created_at) WHERE placement = 'REJECTED';
-- The reconciler looks for what stays undecided.
CREATE INDEX orders_undecided ON orders (deadline) WHERE placement = 'PLACING';

CREATE TABLE order_lines (
  order_id    INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE,
  product_id  INTEGER NOT NULL,
  name        TEXT NOT NULL,
  price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
  quantity    INTEGER NOT NULL CHECK (quantity > 0),
  seller_id   INTEGER NOT NULL,
  PRIMARY KEY (order_id, product_id)
);

CREATE TABLE order_status_changes (
  id          BIGSERIAL PRIMARY KEY,
  order_id    INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE,
  from_status TEXT,
  to_status   TEXT NOT NULL,
  actor       TEXT NOT NULL,
  created_at  TIMESTAMPTZ(3) NOT NULL DEFAULT now()
);
CREATE INDEX order_status_changes_order_id_id_idx ON order_status_changes (order_id, id);

CREATE TABLE idempotency_keys (
  user_id       INTEGER NOT NULL,
  route         TEXT NOT NULL,
  key           TEXT NOT NULL,
  request_hash  TEXT NOT NULL,
  order_id      INTEGER NOT NULL,
  lease_until   TIMESTAMPTZ(3) NOT NULL,
  answer_status INTEGER,
  answer_body   TEXT,
  created_at    TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, route, key)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

CREATE TABLE order_stats (
  user_id     INTEGER PRIMARY KEY,
  pending     INTEGER NOT NULL DEFAULT 0,
  processing  INTEGER NOT NULL DEFAULT 0,
  shipped     INTEGER NOT NULL DEFAULT 0,
  delivered   INTEGER NOT NULL DEFAULT 0,
  cancelled   INTEGER NOT NULL DEFAULT 0,
  spent_minor BIGINT NOT NULL DEFAULT 0
);
