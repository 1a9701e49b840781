import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@shop/service-kit/testing/until';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

interface MailSinkOptions {
  port?: number;
  /** Delay of each mail in milliseconds. */
  delay?: number;
  /** Status that refuses each recipient. */
  refuse?: number;
}

export interface MailSink {
  url: string;
  port: number;
  mails: ParsedMail[];
  /** Number of connections so far. */
  connections(): number;
  /** Changes the behaviour of the server from now on. */
  become(options: MailSinkOptions): void;
  /** The newest mail to an address, once it has arrived. */
  mailTo(address: string): Promise<ParsedMail>;
  /** The token in the newest mail to an address, once it has arrived. */
  tokenTo(address: string): Promise<string>;
  close(): Promise<void>;
}

/** A real SMTP server that stores all mails. */
export async function startMailSink(options: MailSinkOptions = {}): Promise<MailSink> {
  let manner = options;
  let connections = 0;
  const mails: ParsedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onConnect(_session, done) {
      connections += 1;
      done();
    },
    onRcptTo(_address, _session, done) {
      if (manner.refuse === undefined) return done();
      return done(Object.assign(new Error('refused'), { responseCode: manner.refuse }));
    },
    onData(stream, _session, done) {
      simpleParser(stream).then(async (mail) => {
        await sleep(manner.delay ?? 0, undefined, { ref: false });
        mails.push(mail);
        done();
      }, done);
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const recipientsOf = ({ to }: ParsedMail) =>
    [to ?? []].flat().flatMap(({ value }) => value.map((recipient) => recipient.address));
  const newestTo = (wanted: string) => mails.findLast((mail) => recipientsOf(mail).includes(wanted));
  const mailTo = async (wanted: string) => {
    await until(`a mail to ${wanted}`, async () => newestTo(wanted) !== undefined, 15_000);
    return newestTo(wanted) as ParsedMail;
  };
  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    mails,
    connections: () => connections,
    become(changed) {
      manner = changed;
    },
    mailTo,
    async tokenTo(wanted) {
      const { text = '' } = await mailTo(wanted);
      return /\?token=([\w-]+)/.exec(text)?.[1] ?? '';
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
