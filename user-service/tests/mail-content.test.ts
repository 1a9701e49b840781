import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import request from 'supertest';
import { type MailShop, startMailShop } from './support/mail-shop.ts';
import { register } from './support/user.factory.ts';

let mails: MailShop;
beforeAll(async () => {
  mails = await startMailShop();
});
afterEach(() => mails.reset());
afterAll(() => mails.close());

describe('a mail', () => {
  test('of a registration is plain text with a link, and its token is stored only as a hash', async () => {
    const { counted } = mails.startSending();
    const { user } = await register(mails.shop.app);
    const mail = await mails.sink.mailTo(user.email);
    expect(mail).toMatchObject({ subject: 'Confirm your email address', html: false });
    expect(mail.from?.text).toBe('"Shop" <no-reply@shop.example>');
    expect(mail.text).toMatch(
      new RegExp(
        `^Hello ${user.username},\n[^]*\nhttps://shop.example/verify-email\\?token=[\\w-]{43}\n[^]*30 minutes`,
      ),
    );
    const token = await mails.sink.tokenTo(user.email);
    await mails.isDone(user.id);
    const { rows: tokens } = await mails.pool.query('SELECT * FROM mail_tokens');
    expect(tokens).toHaveLength(1);
    expect(JSON.stringify(tokens)).not.toContain(token);
    await request(mails.shop.app).post('/api/users/verify-email').send({ token }).expect(200);
    await request(mails.shop.app).post('/api/users/verify-email').send({ token }).expect(400);
    expect(await counted()).toMatch(/mails_total\{kind="verify_email",result="sent".*\} 1/);
  });

  test('gets no headers from a name or an address', async () => {
    mails.startSending();
    const { user } = await register(mails.shop.app, {
      username: 'Ren\u00e9-Bcc.evil',
      email: "o'neil+x=y@example.com",
    });
    const mail = await mails.sink.mailTo(user.email);
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

  test('omits a name that looks like a link', async () => {
    mails.startSending();
    const { user } = await register(mails.shop.app, { username: 'www.evil.example' });
    const mail = await mails.sink.mailTo(user.email);
    expect(mail.text).toMatch(/^Hello,\n/);
    expect(mail.text).not.toContain('evil');
  });
});

describe('a changed address', () => {
  const change = (id: number, bearer: string, email: string) =>
    request(mails.shop.app).put(`/api/users/${id}`).set('Authorization', bearer).send({ email }).expect(200);

  test('is reported to the old address without naming the new one, which gets a link', async () => {
    const { user, bearer } = await register(mails.shop.app);
    await mails.pool.query('DELETE FROM graphile_worker._private_jobs');
    const { counted } = mails.startSending();
    await change(user.id, bearer, 'moved-to@example.com');
    const notice = await mails.sink.mailTo(user.email);
    expect(notice.subject).toBe('Your email address was changed');
    expect(notice.text).toContain(`Hello ${user.username},`);
    expect(notice.text).not.toMatch(/moved-to|token|http/);
    expect((await mails.sink.mailTo('moved-to@example.com')).subject).toBe('Confirm your email address');
    await mails.isDone(user.id);
    expect(await counted()).toMatch(/mails_total\{kind="email_changed",result="sent".*\} 1/);
  });

  test('is not reported if only its spelling changes', async () => {
    const { user, bearer } = await register(mails.shop.app);
    await change(user.id, bearer, user.email.toUpperCase());
    const kinds = (await mails.jobsOf(user.id)).map(({ payload }) => payload['kind']);
    expect(kinds).toEqual(['verify_email']);
  });
});

describe('without SMTP_URL', () => {
  test('the link is logged', async () => {
    const { lines } = mails.startSending(null);
    const { user } = await register(mails.shop.app);
    await until('it is logged', async () => lines.length > 0);
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
