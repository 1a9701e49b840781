import { z } from 'zod';

/** Fields of all services, under the names of OpenTelemetry's specification. */
export const tracingConfig = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http:// address' })
    .optional()
    .describe(
      'Where traces are sent (OTLP over HTTP), such as `http://collector:4318`. Without it nothing is recorded, and `traceparent` is only passed on',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(
      /^[^=,]+=(%[0-9a-f]{2}|[^=,%])*(,[^=,]+=(%[0-9a-f]{2}|[^=,%])*)*$/i,
      'must be name=value, separated by commas, values percent-encoded',
    )
    .optional()
    .describe(
      'Headers for the receiver of traces: `name=value`, separated by commas, values percent-encoded',
    ),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
    .default('1')
    .transform(Number)
    .describe(
      'Share of the traces that are recorded. For a request with `traceparent` its caller has decided',
    ),
};
