import { jestPreset } from './jest-preset.js';

/** Most of these tests wait: for a lease, a connection or a server that does not come. */
export default {
  ...jestPreset,
  maxWorkers: 4,
  collectCoverageFrom: [...jestPreset.collectCoverageFrom, '!src/testing/**'],
};
