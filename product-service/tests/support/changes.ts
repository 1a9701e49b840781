import type { Express } from 'express';
import request from 'supertest';
import { seller } from './product.factory.ts';

/** Changes by a seller. */
export const patch = (app: Express, id: number, body: object) =>
  request(app).patch(`/api/products/${id}`).set('Authorization', seller()).send(body).expect(200);

export const adjust = (app: Express, id: number, quantity: number) =>
  request(app).put(`/api/products/${id}/stock`).set('Authorization', seller()).send({ quantity }).expect(200);

export const remove = (app: Express, id: number) =>
  request(app).delete(`/api/products/${id}`).set('Authorization', seller()).expect(200);
