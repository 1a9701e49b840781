// As on systems that have no /proc.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const { readFileSync } = fs;
fs.readFileSync = (path, ...options) =>
  readFileSync(String(path).startsWith('/proc/') ? '/none' : path, ...options);
syncBuiltinESMExports();
