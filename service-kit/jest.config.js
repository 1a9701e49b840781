import { jestPreset } from './jest-preset.js';

export default {
  ...jestPreset,
  displayName: 'service-kit',
  collectCoverageFrom: [...jestPreset.collectCoverageFrom, '!src/testing/**'],
};
