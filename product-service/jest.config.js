import { jestPreset } from '@shop/service-kit/jest-preset';

export default { ...jestPreset, displayName: 'product-service' };
