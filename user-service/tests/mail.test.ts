import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { createQuery } from '@shop/service-kit/postgres/query';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { until } from '@shop/service-kit/testing/until';
import { Pool } from 'pg';
import pino from 'pino';
import request from 'supertest';
import { openMailing } from '../src/mail/mail.jobs.ts';
import { type MailSink, startMailSink } from './support/mail-sink.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { register } from './support/user.factory.ts';

let shop: TestShop;
let sink: MailSink;
let pool: Pool;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  [shop, sink] = await Promise.all([startTestShop(), startMailSink()]);
  pool = new Pool({ connectionString: shop.databaseUrl });
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
  sink.become({});
  // What one test has left over is not sent in the next.
  await pool.query('DELETE FROM graphile_worker._private_jobs');
});
afterAll(async () => {
  await pool.end();
  await Promise.all([shop.close(), sink.close()]);
});

const config = { SHOP_URL: 'https://shop.example', mailFrom: 'Shop <no-reply@shop.example>' };
/** One more process that sends mails, with a log of its own. Failed ones are tried again after a second or two. */
function startSending(url: string | null = sink.url) {
  const lines: Record<string, unknown>[] = [];
  // Without the line that each finished job has.
  const write = (line: string) => line.includes('"msg":"job"') || void lines.push(JSON.parse(line));
  const logger = pino({ level: 'info' }, { write });
  const metrics = createMetrics('user-service');
  const mailing = openMailing({
    query: shop.query,
    config: url === null ? config : { ...config, SMTP_URL: url },
    logger,
    metrics,
  });
  const jobs = startJobs({
    config: { DATABASE_URL: shop.databaseUrl, JOB_MAX_BACKOFF: 1, JOB_ABANDONED_AFTER: 60 },
    query: createQuery(pool),
    logger,
    registry: metrics.registry,
    tasks: mailing.tasks,
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= jobs.close().then(mailing.close));
  closing.push(close);
  return { close, lines, counted: () => metrics.registry.getSingleMetricAsString('mails_total') };
}
/** The jobs that wait or run. */
const jobsOf = async (userId: number) => {
  const { rows } = await pool.query<{ attempts: number; payload: Record<string, unknown> }>(
    "SELECT attempts, payload FROM graphile_worker._private_jobs WHERE payload->>'user_id' = $1",
    [String(userId)],
  );
  return rows;
};
const attemptsOf = async (userId: number) => (await jobsOf(userId))[0]?.attempts ?? 0;
const isDone = (userId: number) =>
  until('the job is done', async () => (await jobsOf(userId)).length === 0, 10_000);
/** As if everything had been asked for earlier. */
const age = (interval: string) =>
  pool.query(
    `UPDATE graphile_worker._private_jobs
        SET payload = jsonb_set(payload::jsonb, '{until}', to_jsonb((payload->>'until')::timestamptz - $1::interval))::json`,
    [interval],
  );

describe('a mail', () => {
  test('of a registration has a plain text with a link, and its token is kept as a hash only', async () => {
    const { counted } = startSending();
    const { user } = await register(shop.app);
    const mail = await sink.mailTo(user.email);
    expect(mail).toMatchObject({ subject: 'Confirm your email address', html: false });
    expect(mail.from?.text).toBe('"Shop" <no-reply@shop.example>');
    expect(mail.text).toMatch(
      new RegExp(
        `^Hello ${user.username},\n[^]*\nhttps://shop.example/verify-email\\?token=[\\w-]{43}\n[^]*30 minutes`,
      ),
    );
    const token = await sink.tokenTo(user.email);
    await isDone(user.id);
    const { rows: tokens } = await pool.query('SELECT * FROM mail_tokens');
    expect(tokens).toHaveLength(1);
    expect(JSON.stringify(tokens)).not.toContain(token);
    await request(shop.app).post('/api/users/verify-email').send({ token }).expect(200);
    await request(shop.app).post('/api/users/verify-email').send({ token }).expect(400);
    expect(await counted()).toMatch(/mails_total\{kind="verify_email",result="sent".*\} 1/);
  });

  test('cannot be given headers by a name or an address', async () => {
    startSending();
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
    startSending();
    const { user } = await register(shop.app, { username: 'www.evil.example' });
    const mail = await sink.mailTo(user.email);
    expect(mail.text).toMatch(/^Hello,\n/);
    expect(mail.text).not.toContain('evil');
  });

  test('is sent once, by however many workers', async () => {
    const users = await Promise.all(Array.from({ length: 8 }, () => register(shop.app)));
    for (let i = 0; i < 3; i += 1) startSending();
    await Promise.all(users.map(({ user }) => sink.mailTo(user.email)));
    await Promise.all(users.map(({ user }) => isDone(user.id)));
    const addresses = sink.mails.map(({ to }) =>
      [to ?? []]
        .flat()
        .map(({ text }) => text)
        .join(),
    );
    for (const { user } of users)
      expect(addresses.filter((address) => address === user.email)).toHaveLength(1);
  });

  test('arrives later when the server was down, and waits without its token', async () => {
    const down = await startMailSink();
    await down.close();
    const { lines } = startSending(down.url);
    const { user, bearer } = await register(shop.app);
    await request(shop.app).get('/api/users/me').set('Authorization', bearer).expect(200);
    await until('it was tried', async () => (await attemptsOf(user.id)) > 1, 20_000);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 40,
        msg: 'job attempt failed',
        task: 'send_mail',
        user_id: user.id,
        err: expect.objectContaining({
          message: expect.stringMatching(/ECONNECTION|ESOCKET|ECONNREFUSED/),
        }),
      }),
    );
    expect(JSON.stringify(lines)).not.toContain(user.email);
    const [job] = await jobsOf(user.id);
    const { until: until_, ...payload } = job?.payload ?? {};
    expect(payload).toEqual({ kind: 'verify_email', user_id: user.id, to: null });
    expect(String(until_)).toMatch(/^20/);
    const up = await startMailSink({ port: down.port });
    closing.push(() => up.close());
    expect(await up.tokenTo(user.email)).toMatch(/^[\w-]{43}$/);
    await isDone(user.id);
  });

  test('that the server defers is tried again', async () => {
    sink.become({ refuse: 451 });
    const { counted } = startSending();
    const { user } = await register(shop.app);
    await until('it was tried', async () => (await attemptsOf(user.id)) > 1, 20_000);
    sink.become({});
    await sink.mailTo(user.email);
    await isDone(user.id);
    expect(await counted()).toMatch(/mails_total\{kind="verify_email",result="postponed".*\} [1-9]/);
  });

  test('that the server refuses for good is given up, and log and metrics say why', async () => {
    sink.become({ refuse: 550 });
    const { lines, counted } = startSending();
    const { user } = await register(shop.app);
    await isDone(user.id);
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

  test.each([
    ['23 hours', 1],
    ['25 hours', 0],
  ])('asked for %s ago is sent %i times', async (asked, times) => {
    const { user } = await register(shop.app);
    await age(asked);
    const { lines } = startSending();
    await isDone(user.id);
    expect(await shop.db.mailToken.count({ where: { userId: user.id } })).toBe(times);
    expect(lines.map(({ reason }) => reason)).toEqual(times === 1 ? [] : ['too late']);
  });

  test('to a user who was deleted meanwhile is not sent', async () => {
    const { user, bearer } = await register(shop.app);
    await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer).expect(200);
    const before = sink.mails.length;
    startSending();
    await isDone(user.id);
    expect(sink.mails).toHaveLength(before);
  });
});

describe('a slow mail server', () => {
  test('holds neither a request nor a stop: the mail is sent by the next process', async () => {
    sink.become({ delay: 60_000 });
    const { close } = startSending();
    const { user } = await register(shop.app);
    const before = sink.mails.length;
    await until('it is being sent', async () => (await attemptsOf(user.id)) > 0, 10_000);
    await close();
    // Registered and stopped before the mail server has accepted the mail.
    expect(sink.mails).toHaveLength(before);
    expect(await jobsOf(user.id)).toHaveLength(1);
    sink.become({});
    startSending();
    await sink.mailTo(user.email);
  });
});

describe('a changed address', () => {
  const change = (id: number, bearer: string, email: string) =>
    request(shop.app).put(`/api/users/${id}`).set('Authorization', bearer).send({ email }).expect(200);

  test('is reported to the one before it, without the new one, and the new one is mailed a link', async () => {
    const { user, bearer } = await register(shop.app);
    await pool.query('DELETE FROM graphile_worker._private_jobs');
    const { counted } = startSending();
    await change(user.id, bearer, 'moved-to@example.com');
    const notice = await sink.mailTo(user.email);
    expect(notice.subject).toBe('Your email address was changed');
    expect(notice.text).toContain(`Hello ${user.username},`);
    expect(notice.text).not.toMatch(/moved-to|token|http/);
    expect((await sink.mailTo('moved-to@example.com')).subject).toBe('Confirm your email address');
    await isDone(user.id);
    expect(await counted()).toMatch(/mails_total\{kind="email_changed",result="sent".*\} 1/);
  });

  test('is not reported for another spelling of it, or another name', async () => {
    const { user, bearer } = await register(shop.app);
    await change(user.id, bearer, user.email.toUpperCase());
    const kinds = (await jobsOf(user.id)).map(({ payload }) => payload['kind']);
    expect(kinds).toEqual(['verify_email']);
  });
});

describe('without SMTP_URL', () => {
  test('the log shows developers the link', async () => {
    const { lines } = startSending(null);
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

describe('mails of the release before', () => {
  test('that wait in its table are sent once; one that it is sending is left to it', async () => {
    const [waiting, held] = await Promise.all([register(shop.app), register(shop.app)]);
    await pool.query('DELETE FROM graphile_worker._private_jobs');
    const insert = (userId: number, next: string) =>
      pool.query(
        `INSERT INTO mails (user_id, kind, expires_at, next_attempt_at)
         VALUES ($1, 'verify_email', now() + interval '1 hour', now() + $2::interval)`,
        [userId, next],
      );
    await insert(waiting.user.id, '-1 second');
    await insert(held.user.id, '1 minute');
    await shop.cleanUp();
    await shop.cleanUp();
    expect(await jobsOf(waiting.user.id)).toHaveLength(1);
    expect(await jobsOf(held.user.id)).toHaveLength(0);
    startSending();
    await sink.mailTo(waiting.user.email);
    await pool.query("UPDATE mails SET done_at = now() - interval '25 hours'");
    await shop.cleanUp();
    expect((await pool.query('SELECT id FROM mails')).rows).toEqual([]);
  });
});
