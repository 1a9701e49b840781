-- Closed reservations are forgotten after some days.
CREATE INDEX reservations_closed ON reservations (updated_at) WHERE status = 'RELEASED';
