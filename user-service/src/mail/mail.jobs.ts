import type { Task } from '@shop/service-kit/jobs/job-runner';
import type { Query } from '@shop/service-kit/postgres/query';
import type { Metrics } from '@shop/service-kit/runtime/metrics';
import type { Logger } from 'pino';
import { z } from 'zod';
import { MAIL_KINDS } from './mail.kinds.ts';
import { createMailMetrics } from './mail.metrics.ts';
import { createMailRepository } from './mail.repository.ts';
import { writeLinkMail, writeNotice } from './mail.texts.ts';
import { createLogTransport, createSmtpTransport, MailFailed } from './mail.transport.ts';
import { newMailToken } from './mail-token.ts';

interface MailingOptions {
  query: Query;
  config: { SMTP_URL?: string | undefined; SHOP_URL: string; mailFrom: string };
  logger: Logger;
  metrics: Metrics;
}

/** Mails that one process sends at the same time. */
export const MAILS_AT_ONCE = 4;

/** The token of a link is not part of it: it is made when the mail is sent, and stored as a hash. */
const payload = z.object({
  kind: z.enum(MAIL_KINDS),
  user_id: z.int().nullable(),
  to: z.string().nullable(),
  /** After that time it is given up. */
  until: z.string(),
});

/** Sends mails through `SMTP_URL`, or without it into the log. To be closed after the jobs have ended. */
export function openMailing({ query, config, logger, metrics }: MailingOptions) {
  const { SMTP_URL: url, mailFrom: from, SHOP_URL: shopUrl } = config;
  const transport =
    url === undefined
      ? createLogTransport(logger)
      : createSmtpTransport({ url, from, connections: MAILS_AT_ONCE });
  const counted = createMailMetrics(metrics.registry);
  const mails = createMailRepository(query);

  const tasks: Record<string, Task> = {
    async send_mail(input, signal) {
      const { kind, user_id: userId, to, until } = payload.parse(input);
      if (userId === null) return;
      const { token, hash } = newMailToken();
      const reader = await mails.prepare(userId, kind, until, hash);
      if (reader === undefined) return;
      const { username, email, isTooLate } = reader;
      const giveUp = (reason: string) => {
        counted.inc({ kind, result: 'given_up' });
        logger.error({ kind, user_id: userId, reason }, 'mail was given up');
      };
      if (isTooLate) return giveUp('too late');
      const text =
        kind === 'email_changed' ? writeNotice(username) : writeLinkMail(kind, username, token, shopUrl);
      try {
        await transport.send(to ?? email, text, signal);
      } catch (error) {
        if (error instanceof MailFailed && error.isFinal) return giveUp(error.message);
        counted.inc({ kind, result: 'postponed' });
        throw error;
      }
      counted.inc({ kind, result: 'sent' });
    },
  };
  return { tasks, close: transport.close };
}
