import { expect, test } from '@jest/globals';
import { startOtlpReceiver } from '@shop/service-kit/testing/otlp-receiver';
import { openTracer } from '@shop/service-kit/tracing/otlp-tracer';
import { currentSpan, forwardedSpan, inSpan } from '@shop/service-kit/tracing/span';
import { pino } from 'pino';
import { createBatcher } from './batcher.ts';

test('in a trace each item has a span, and one of them shows the work that the others are linked to', async () => {
  const receiver = await startOtlpReceiver();
  const tracer = openTracer({
    service: 'order-service',
    version: undefined,
    endpoint: receiver.url,
    headers: '',
    ratio: 1,
    logger: pino({ level: 'silent' }),
  });
  const run = async (items: string[]) => {
    currentSpan()?.start('work', 'client').end();
    if (items.includes('bad')) throw new Error('bad');
    return items;
  };
  const add = createBatcher<string, string>({
    name: 'step',
    run,
    most: { items: 4, weight: 10 },
    weightOf: () => 1,
    least: 0,
  });
  const request = (name: string, items: string[]) => {
    const span = tracer.start(name, { kind: 'server', parents: [], attributes: {} });
    return inSpan(span, () => Promise.allSettled(items.map(add))).finally(() => span.end());
  };
  // Of a trace that nobody records: it cannot show the work.
  const forwarded = forwardedSpan({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` });
  const untraced = [add('untraced'), inSpan(forwarded, () => add('forwarded'))];
  await Promise.all([...untraced, request('first', ['a']), request('second', ['b'])]);
  await request('third', ['bad']);
  await tracer.close();
  await receiver.close();
  const treeOf = (name: string) =>
    receiver
      .treeOf(receiver.spans.find((span) => span.name === name)?.traceId ?? '')
      .map((line) => line.trim());
  const own = (text: string) => `order-service: ${text}`;
  expect(treeOf('first')).toEqual(['first', 'step', 'work'].map(own));
  expect(treeOf('second')).toEqual(['second', 'step'].map(own));
  expect(treeOf('third')).toEqual(['third', 'step', 'work'].map(own));
  const [lead, other, failed] = receiver.spans
    .filter(({ name }) => name === 'step')
    .toSorted((a, b) => a.startedAt - b.startedAt);
  expect(lead?.links).toEqual([]);
  expect(other?.links).toEqual([{ traceId: lead?.traceId, spanId: lead?.spanId }]);
  expect([lead?.isFailed, other?.isFailed, failed?.isFailed]).toEqual([false, false, true]);
});
