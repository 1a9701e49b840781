import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import pino from 'pino';
import request from 'supertest';
import { startMailing } from '../src/mail/mail.worker.ts';
import { type MailSink, startMailSink } from './support/mail-sink.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { until } from './support/until.ts';
import { register } from './support/user.factory.ts';

let shop: TestShop;
let sink: MailSink;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  [shop, sink] = await Promise.all([startTestShop(), startMailSink()]);
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  sink.become({});
  // What one test has left over is not sent in the next.
  await shop.db.mail.updateMany({ where: { doneAt: null }, data: { doneAt: new Date() } });
});
afterAll(async () => {
  await Promise.all([shop.close(), sink.close()]);
});

const config = { SHOP_URL: 'https://shop.example', mailFrom: 'Shop <no-reply@shop.example>' };
/** A worker on the test's database, with a log of its own. */
function startWorker(
  options: Partial<Parameters<typeof startMailing>[0]> = {},
  url: string | null = sink.url,
) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const metrics = createMetrics('user-service');
  const worker = startMailing({
    db: shop.db,
    config: url === null ? config : { ...config, SMTP_URL: url },
    logger,
    metrics,
    interval: 50,
    ...options,
  });
  closing.push(() => worker.close());
  return { ...worker, lines, counted: () => metrics.registry.getSingleMetricAsString('mails_total') };
}
/** Seconds until a mail is tried again. */
const IMPATIENT = { firstWait: 0.1 };
const rowOf = (userId: number) => shop.db.mail.findFirstOrThrow({ where: { userId } });

describe('a mail', () => {
  test('of a registration has a plain text with a link, and its token is kept as a hash only', async () => {
    const { nudge, counted } = startWorker({ interval: 3_600_000 });
    const { user } = await register(shop.app);
    nudge();
    const mail = await sink.mailTo(user.email);
    expect(mail).toMatchObject({ subject: 'Confirm your email address', html: false });
    expect(mail.from?.text).toBe('"Shop" <no-reply@shop.example>');
    expect(mail.text).toMatch(
      new RegExp(
        `^Hello ${user.username},\n[^]*\nhttps://shop.example/verify-email\\?token=[\\w-]{43}\n[^]*30 minutes`,
      ),
    );
    const token = await sink.tokenTo(user.email);
    await until('it is done', async () => (await rowOf(user.id)).doneAt !== null, 5000);
    const tables = await shop.db.$queryRaw`
      SELECT (SELECT json_agg(m) FROM mails m)::text AS mails, (SELECT json_agg(t) FROM mail_tokens t)::text AS tokens`;
    expect(JSON.stringify(tables)).not.toContain(token);
    await request(shop.app).post('/api/users/verify-email').send({ token }).expect(200);
    await request(shop.app).post('/api/users/verify-email').send({ token }).expect(400);
    expect(await counted()).toMatch(/mails_total\{kind="verify_email",result="sent".*\} 1/);
  });

  test('cannot be given headers by a name or an address', async () => {
    startWorker();
    const { user } = await register(shop.app, {
      username: 'Ren\u00e9-Bcc.evil',
      email: "o'neil+x=y@example.com",
    });
    const mail = await sink.mailTo(user.email);
    expect(mail.bcc).toBeUndefined();
    expect(mail.headerLines.map(({ key }) => key).sort()).toEqual([
      'content-transfer-encoding',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ]);
  });

  test('has no name in it that could be taken for a link', async () => {
    startWorker();
    const { user } = await register(shop.app, { username: 'www.evil.example' });
    const mail = await sink.mailTo(user.email);
    expect(mail.text).toMatch(/^Hello,\n/);
    expect(mail.text).not.toContain('evil');
  });

  test('is sent once, by however many workers', async () => {
    const users = await Promise.all(Array.from({ length: 8 }, () => register(shop.app)));
    for (let i = 0; i < 3; i += 1) startWorker();
    await Promise.all(users.map(({ user }) => sink.mailTo(user.email)));
    const unfinished = () => shop.db.mail.count({ where: { doneAt: null } });
    await until('all are done', async () => (await unfinished()) === 0, 10_000);
    const addresses = sink.mails.map(({ to }) =>
      [to ?? []]
        .flat()
        .map(({ text }) => text)
        .join(),
    );
    for (const { user } of users)
      expect(addresses.filter((address) => address === user.email)).toHaveLength(1);
  });

  test('arrives later when the server was down', async () => {
    const down = await startMailSink();
    await down.close();
    const { lines } = startWorker(IMPATIENT, down.url);
    const { user, bearer } = await register(shop.app);
    await request(shop.app).get('/api/users/me').set('Authorization', bearer).expect(200);
    await until('it was tried', async () => (await rowOf(user.id)).attempts > 1, 10_000);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 40,
        msg: 'mail is tried again later',
        user_id: user.id,
        reason: expect.stringMatching(/^E/),
      }),
    );
    expect(JSON.stringify(lines)).not.toContain(user.email);
    const up = await startMailSink({ port: down.port });
    closing.push(() => up.close());
    expect(await up.tokenTo(user.email)).toMatch(/^[\w-]{43}$/);
  });

  test('that the server defers is tried again', async () => {
    sink.become({ refuse: 451 });
    startWorker(IMPATIENT);
    const { user } = await register(shop.app);
    await until('it was tried', async () => (await rowOf(user.id)).attempts > 1, 10_000);
    sink.become({});
    await sink.mailTo(user.email);
  });

  test('that the server refuses for good is given up, and log, metrics and its row tell why', async () => {
    sink.become({ refuse: 550 });
    const { lines, counted } = startWorker();
    const { user } = await register(shop.app);
    await until('it was given up', async () => (await rowOf(user.id)).doneAt !== null, 10_000);
    expect(await rowOf(user.id)).toMatchObject({ attempts: 1, failure: 'EENVELOPE RCPT TO 550' });
    expect(lines).toMatchObject([
      {
        level: 50,
        msg: 'mail was given up',
        kind: 'verify_email',
        user_id: user.id,
        reason: 'EENVELOPE RCPT TO 550',
      },
    ]);
    expect(await counted()).toMatch(/mails_total\{kind="verify_email",result="given_up".*\} 1/);
  });

  test('is given up after the last attempt that its time allows', async () => {
    sink.become({ refuse: 451 });
    const { user } = await register(shop.app);
    const soon = new Date(Date.now() + 60_000);
    await shop.db.mail.updateMany({ where: { userId: user.id }, data: { expiresAt: soon } });
    startWorker({ firstWait: 120 });
    await until('it was given up', async () => (await rowOf(user.id)).doneAt !== null, 10_000);
    expect(await rowOf(user.id)).toMatchObject({ attempts: 1, failure: 'EENVELOPE RCPT TO 451' });
  });

  test('that nobody waits for any more is not sent', async () => {
    const { user } = await register(shop.app);
    await shop.db.mail.updateMany({ where: { userId: user.id }, data: { expiresAt: new Date() } });
    startWorker();
    await until('it was given up', async () => (await rowOf(user.id)).doneAt !== null, 10_000);
    expect((await rowOf(user.id)).failure).toBe('too late');
    expect(await shop.db.mailToken.count({ where: { userId: user.id } })).toBe(0);
  });
});

describe('a slow mail server', () => {
  test('holds no request, and is left alone after a time', async () => {
    sink.become({ delay: 3_000 });
    const { nudge, lines } = startWorker({ attemptTimeout: 500, firstWait: 600 });
    const { user } = await register(shop.app);
    nudge();
    const before = sink.mails.length;
    await until('it was left alone', async () => lines.length > 0, 10_000);
    expect(lines).toMatchObject([{ user_id: user.id, reason: 'EABORT' }]);
    // Registered, answered and given up on before the server has taken the mail.
    expect(sink.mails).toHaveLength(before);
  });

  test('does not hold a stop: the mail is sent by whoever runs next', async () => {
    sink.become({ delay: 8_000 });
    const { close } = startWorker(IMPATIENT);
    const { user } = await register(shop.app);
    await until('it is being sent', async () => (await rowOf(user.id)).attempts > 0, 10_000);
    await close();
    expect((await rowOf(user.id)).doneAt).toBeNull();
    sink.become({});
    startWorker();
    await sink.mailTo(user.email);
  });
});

describe('without SMTP_URL', () => {
  test('the log is where a developer finds his link', async () => {
    const { lines } = startWorker({}, null);
    const { user } = await register(shop.app);
    await until('it is logged', async () => lines.length > 0, 10_000);
    expect(lines).toMatchObject([
      {
        level: 30,
        msg: 'mail, not sent because SMTP_URL is not set: Confirm your email address',
        to: user.email,
        link: expect.stringMatching(/^https:\/\/shop\.example\/verify-email\?token=[\w-]{43}$/),
      },
    ]);
  });
});

describe('old mails and tokens', () => {
  test('are removed, those that still wait are not', async () => {
    const { user } = await register(shop.app);
    const old = new Date(Date.now() - 25 * 3_600_000);
    await shop.db.mail.updateMany({ where: { userId: user.id }, data: { expiresAt: old } });
    await shop.mails.removeOld();
    expect(await shop.db.mail.count({ where: { userId: user.id } })).toBe(1);
    await shop.db.mail.updateMany({ where: { userId: user.id }, data: { doneAt: old } });
    await shop.db.mailToken.create({
      data: { hash: 'old', userId: user.id, kind: 'verify_email', emailKey: user.email, expiresAt: old },
    });
    await shop.mails.removeOld();
    expect(await shop.db.mail.count({ where: { userId: user.id } })).toBe(0);
    expect(await shop.db.mailToken.count({ where: { userId: user.id } })).toBe(0);
  });
});
