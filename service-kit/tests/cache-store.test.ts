import { expect, test } from '@jest/globals';
import { createMemoryCacheStore } from '../src/redis/cache-store.memory.ts';
import { createRedisCacheStore } from '../src/redis/cache-store.redis.ts';
import { connectTestRedis } from '../src/testing/test-redis.ts';
import { open, response } from './support/caches.ts';

test.each(['this process', 'Redis'])(
  'a page in %s is only patched while it is the one that was found',
  async (place) => {
    const store =
      place === 'Redis'
        ? createRedisCacheStore(await open(connectTestRedis()))
        : createMemoryCacheStore(1_000_000);
    const address = { group: 'all', key: 'page' };
    const find = (id: string) => store.find(address, { known: undefined, maxAge: 0, id });
    const load = async (id: string) => {
      const found = await find(id);
      if (found === 'loading' || !('claim' in found)) throw new Error('nothing to load');
      await store.put(found.claim, response(id), 60_000);
    };
    await load('first');
    await store.invalidate(['all'], () => 'next');
    await load('second');
    await store.patch({ ...address, from: 'first', id: 'late', seen: 0, value: response('late') });
    expect(await find('asks')).toMatchObject({ stored: { id: 'second', value: response('second') } });
    await store.patch({ ...address, from: 'second', id: 'third', seen: 0, value: response('third') });
    expect(await find('asks')).toMatchObject({ stored: { id: 'third', value: response('third') } });
  },
);
