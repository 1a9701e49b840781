import { jestPreset } from './jest-preset.js';

export default { ...jestPreset, collectCoverageFrom: [...jestPreset.collectCoverageFrom, '!src/testing/**'] };
