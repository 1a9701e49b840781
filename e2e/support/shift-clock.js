import { ServerResponse } from 'node:http';

/** Shifts the clock of this process by SHIFT_CLOCK_HOURS, like a machine with a wrong clock. */
const shift = Number(process.env.SHIFT_CLOCK_HOURS ?? 0) * 3_600_000;

globalThis.Date = new Proxy(Date, {
  construct: (target, args) => Reflect.construct(target, args.length === 0 ? [target.now() + shift] : args),
  get: (target, name) => (name === 'now' ? () => target.now() + shift : Reflect.get(target, name)),
});

// Node's Date header does not use the global Date.
const { writeHead } = ServerResponse.prototype;
ServerResponse.prototype.writeHead = new Proxy(writeHead, {
  apply(target, response, args) {
    response.setHeader('Date', new Date().toUTCString());
    return Reflect.apply(target, response, args);
  },
});
