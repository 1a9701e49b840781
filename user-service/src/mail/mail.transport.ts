import { createTransport, type NodemailerError } from 'nodemailer';
import type { Logger } from 'pino';
import type { MailText } from './mail.texts.ts';

export interface MailTransport {
  /** @throws MailFailed */
  send(to: string, mail: MailText, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Why a mail was not accepted, without any address or token. */
export class MailFailed extends Error {
  /** The server will never accept this mail. */
  readonly isFinal: boolean;

  constructor(reason: string, isFinal: boolean) {
    super(reason);
    this.isFinal = isFinal;
  }
}

interface SmtpOptions {
  /** `smtp://user:password@host:port`, with options of nodemailer in its query. */
  url: string;
  from: string;
  /** Connections that are kept. */
  connections: number;
}

/** How long each step with the server may take, in milliseconds. */
const STEP_TIMEOUT = 10_000;
/** Steps that concern this one mail: a permanent refusal there is final. */
const STEPS_OF_A_MAIL = new Set(['RCPT TO', 'DATA']);

export function createSmtpTransport({ url, from, connections }: SmtpOptions): MailTransport {
  const transport = createTransport(
    {
      url,
      pool: true,
      maxConnections: connections,
      connectionTimeout: STEP_TIMEOUT,
      greetingTimeout: STEP_TIMEOUT,
      socketTimeout: STEP_TIMEOUT,
      dnsTimeout: STEP_TIMEOUT,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  // A lost connection is reported by the mails that it was sending.
  transport.on('error', () => undefined);
  return {
    async send(to, { subject, text }, signal) {
      try {
        await transport.sendMail({ to: { name: '', address: to }, subject, text, signal });
      } catch (error) {
        throw toMailFailed(error);
      }
    },
    close: () => transport.close({ force: true }),
  };
}

function toMailFailed(error: unknown): MailFailed {
  const { code, command = '', responseCode, permanent } = (error ?? {}) as Partial<NodemailerError>;
  const reason = [code, command, responseCode].filter((part) => part !== undefined && part !== '').join(' ');
  return new MailFailed(reason, permanent === true && STEPS_OF_A_MAIL.has(command));
}

/** For development: the links are in the log. */
export function createLogTransport(logger: Logger): MailTransport {
  return {
    async send(to, { subject, link }) {
      logger.info({ to, link }, `mail, not sent because SMTP_URL is not set: ${subject}`);
    },
    close: () => undefined,
  };
}
