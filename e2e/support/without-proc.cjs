// As on systems that have no /proc.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const { readFileSync } = fs;
Object.assign(fs, {
  /** @param {Parameters<typeof readFileSync>} args */
  readFileSync: (...[path, options]) =>
    readFileSync(String(path).startsWith('/proc/') ? '/none' : path, options),
});
syncBuiltinESMExports();
