import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import request from 'supertest';
import { type MailShop, startMailShop } from './support/mail-shop.ts';
import { startMailSink } from './support/mail-sink.ts';
import { register } from './support/user.factory.ts';

let mails: MailShop;
beforeAll(async () => {
  mails = await startMailShop();
});
afterEach(() => mails.reset());
afterAll(() => mails.close());

describe('a mail', () => {
  test('is sent once by several workers', async () => {
    const users = await Promise.all(Array.from({ length: 8 }, () => register(mails.shop.app)));
    for (let i = 0; i < 3; i += 1) mails.startSending();
    await Promise.all(users.map(({ user }) => mails.sink.mailTo(user.email)));
    await Promise.all(users.map(({ user }) => mails.isDone(user.id)));
    const addresses = mails.sink.mails.map(({ to }) =>
      [to ?? []]
        .flat()
        .map(({ text }) => text)
        .join(),
    );
    for (const { user } of users)
      expect(addresses.filter((address) => address === user.email)).toHaveLength(1);
  });

  test('is sent later if the server was down, and waits without its token', async () => {
    const down = await startMailSink();
    await down.close();
    const { lines } = mails.startSending(down.url);
    const { user, bearer } = await register(mails.shop.app);
    await request(mails.shop.app).get('/api/users/me').set('Authorization', bearer).expect(200);
    await until('it was tried', async () => (await mails.attemptsOf(user.id)) > 1);
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
    const [job] = await mails.jobsOf(user.id);
    const { until: until_, ...payload } = job?.payload ?? {};
    expect(payload).toEqual({ kind: 'verify_email', user_id: user.id, to: null });
    expect(String(until_)).toMatch(/^20/);
    const up = await startMailSink({ port: down.port });
    mails.closeLater(() => up.close());
    expect(await up.tokenTo(user.email)).toMatch(/^[\w-]{43}$/);
    await mails.isDone(user.id);
  });

  test('is retried if the server defers it', async () => {
    mails.sink.become({ refuse: 451 });
    const { counted } = mails.startSending();
    const { user } = await register(mails.shop.app);
    await until('it was tried', async () => (await mails.attemptsOf(user.id)) > 1);
    mails.sink.become({});
    await mails.sink.mailTo(user.email);
    await mails.isDone(user.id);
    expect(await counted()).toMatch(/mails_total\{kind="verify_email",result="postponed".*\} [1-9]/);
  });

  test('is given up if the server refuses it, with the reason in log and metrics', async () => {
    mails.sink.become({ refuse: 550 });
    const { lines, counted } = mails.startSending();
    const { user } = await register(mails.shop.app);
    await mails.isDone(user.id);
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
  ])('requested %s ago is sent %i times', async (asked, times) => {
    const { user } = await register(mails.shop.app);
    await mails.age(asked);
    const { lines } = mails.startSending();
    await mails.isDone(user.id);
    expect(await mails.shop.db.mailToken.count({ where: { userId: user.id } })).toBe(times);
    expect(lines.map(({ reason }) => reason)).toEqual(times === 1 ? [] : ['too late']);
  });

  test('is not sent to a user who was deleted meanwhile', async () => {
    const { user, bearer } = await register(mails.shop.app);
    await request(mails.shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer).expect(200);
    const before = mails.sink.mails.length;
    mails.startSending();
    await mails.isDone(user.id);
    expect(mails.sink.mails).toHaveLength(before);
  });
});

describe('a slow mail server', () => {
  test('delays neither a request nor a stop: the next process sends the mail', async () => {
    mails.sink.become({ delay: 60_000 });
    const { close } = mails.startSending();
    const { user } = await register(mails.shop.app);
    const before = mails.sink.mails.length;
    await until('it is being sent', async () => (await mails.attemptsOf(user.id)) > 0);
    await close();
    // The registration and the stop are done before the mail server has accepted the mail.
    expect(mails.sink.mails).toHaveLength(before);
    expect(await mails.jobsOf(user.id)).toHaveLength(1);
    mails.sink.become({});
    mails.startSending();
    await mails.sink.mailTo(user.email);
  });
});

describe('mails of the previous release', () => {
  test('are sent once if they wait in its table; one that it is sending is left to it', async () => {
    const [waiting, held] = await Promise.all([register(mails.shop.app), register(mails.shop.app)]);
    await mails.pool.query('DELETE FROM graphile_worker._private_jobs');
    const insert = (userId: number, next: string) =>
      mails.pool.query(
        `INSERT INTO mails (user_id, kind, expires_at, next_attempt_at)
         VALUES ($1, 'verify_email', now() + interval '1 hour', now() + $2::interval)`,
        [userId, next],
      );
    await insert(waiting.user.id, '-1 second');
    await insert(held.user.id, '1 minute');
    await mails.shop.cleanUp();
    await mails.shop.cleanUp();
    expect(await mails.jobsOf(waiting.user.id)).toHaveLength(1);
    expect(await mails.jobsOf(held.user.id)).toHaveLength(0);
    mails.startSending();
    await mails.sink.mailTo(waiting.user.email);
    await mails.pool.query("UPDATE mails SET done_at = now() - interval '25 hours'");
    await mails.shop.cleanUp();
    expect((await mails.pool.query('SELECT id FROM mails')).rows).toEqual([]);
  });
});
