import { ShopError } from '@shop/client';
import { Failed } from '../ui/states.tsx';

const FAILURE = new ShopError({ code: 'network', message: 'The page cannot be loaded' });

/** In the place of a page whose script cannot be loaded: without a connection, or when a new version has replaced it. */
export const UnloadedPage = () => <Failed failure={FAILURE} onRetry={() => location.reload()} isPage />;
