import type { Metrics } from '@shop/service-kit/runtime/metrics';
import type { Logger } from 'pino';
import type { Prisma } from '../generated/prisma/client.ts';
import { createMailMetrics, type MailMetrics } from './mail.metrics.ts';
import { createMailRepository, type DueMail } from './mail.repository.ts';
import { writeMail } from './mail.texts.ts';
import { createLogTransport, createSmtpTransport, MailFailed, type MailTransport } from './mail.transport.ts';
import { newMailToken } from './mail-token.ts';

export interface MailWorker {
  /** Looks for mails at once: to be called after the commit of what asks for one. Costs the caller nothing. */
  nudge(): void;
  /** Lets mails that are on their way arrive, for a moment; the others are sent by whoever runs next. */
  close(): Promise<void>;
}

interface MailWorkerOptions {
  db: Prisma.TransactionClient;
  transport: MailTransport;
  /** The storefront, without a slash at its end. */
  shopUrl: string;
  logger: Logger;
  metrics: MailMetrics;
  /** Milliseconds between looks for mails that other processes asked for, or that failed before. */
  interval?: number;
  /** Seconds until a failed mail is tried again; doubled with each attempt. Longer than an attempt may take. */
  firstWait?: number;
  /** Milliseconds that one attempt may take. */
  attemptTimeout?: number;
}

/** Mails that one process sends at the same time. */
const MAILS_AT_ONCE = 4;
/** Milliseconds that mails on their way get when the process stops. */
const STOP_TIMEOUT = 2000;

/** Sends what was asked for, beside the requests and together with the workers of all other processes. */
function startMailWorker(options: MailWorkerOptions): MailWorker {
  const { db, transport, shopUrl, logger, metrics, interval = 5000 } = options;
  const { firstWait = 30, attemptTimeout = 20_000 } = options;
  const mails = createMailRepository(db);
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  let isDue = false;
  let isClosing = false;

  const giveUp = async ({ id, kind, userId }: DueMail, reason: string) => {
    await mails.finish(id, reason);
    metrics.inc({ kind, result: 'given_up' });
    logger.error({ mail_id: Number(id), kind, user_id: userId, reason }, 'mail was given up');
  };
  const onFailure = async (mail: DueMail, { message: reason, isFinal }: MailFailed) => {
    if (isFinal || mail.isLastAttempt) return giveUp(mail, reason);
    const { id, kind, userId } = mail;
    metrics.inc({ kind, result: 'postponed' });
    logger.warn({ mail_id: Number(id), kind, user_id: userId, reason }, 'mail is tried again later');
  };
  const send = async (mail: DueMail, token: string) => {
    if (mail.isTooLate) return giveUp(mail, 'too late');
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(attemptTimeout)]);
    try {
      await transport.send(mail.email, writeMail(mail.kind, mail.username, token, shopUrl), signal);
    } catch (error) {
      if (error instanceof MailFailed) return onFailure(mail, error);
      throw error;
    }
    await mails.finish(mail.id, null);
    metrics.inc({ kind: mail.kind, result: 'sent' });
  };
  /** @returns whether there was one */
  const sendNext = async (): Promise<boolean> => {
    const { token, hash } = newMailToken();
    const mail = await mails.takeDue(hash, firstWait);
    if (mail !== undefined) await send(mail, token);
    return mail !== undefined;
  };
  const sendAll = async () => {
    do {
      isDue = false;
      while (!isClosing && (await sendNext()));
    } while (isDue && !isClosing);
  };
  const nudge = () => {
    isDue = true;
    if (isClosing || running.size >= MAILS_AT_ONCE) return;
    const sender = sendAll()
      .catch((error: unknown) => logger.warn({ err: error }, 'mails are sent later'))
      .finally(() => running.delete(sender));
    running.add(sender);
  };

  nudge();
  const timer = setInterval(nudge, interval).unref();
  return {
    nudge,
    async close() {
      isClosing = true;
      clearInterval(timer);
      const abort = setTimeout(() => stopping.abort(), STOP_TIMEOUT);
      await Promise.all(running);
      clearTimeout(abort);
      transport.close();
    },
  };
}

interface MailingOptions
  extends Pick<MailWorkerOptions, 'db' | 'logger' | 'interval' | 'firstWait' | 'attemptTimeout'> {
  config: { SMTP_URL?: string | undefined; SHOP_URL: string; mailFrom: string };
  metrics: Metrics;
}

/** The worker of a process: through `SMTP_URL`, or without it into the log. */
export function startMailing({ config, metrics, ...options }: MailingOptions): MailWorker {
  const { SMTP_URL: url, mailFrom: from, SHOP_URL: shopUrl } = config;
  const transport =
    url === undefined
      ? createLogTransport(options.logger)
      : createSmtpTransport({ url, from, connections: MAILS_AT_ONCE });
  return startMailWorker({ ...options, transport, shopUrl, metrics: createMailMetrics(metrics.registry) });
}
