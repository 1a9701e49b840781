import { inBatches } from '@shop/service-kit/jobs/in-batches';
import type { Task } from '@shop/service-kit/jobs/job-runner';
import type { Query } from '@shop/service-kit/postgres/query';
import { z } from 'zod';
import { createAuditRepository } from './audit.repository.ts';

const payload = z.object({ user_id: z.int() });

/** For `startJobs`. */
export function createAuditTasks(query: Query): Record<'forget_origins', Task> {
  const trail = createAuditRepository(query);
  return {
    async forget_origins(input, signal) {
      const { user_id: userId } = payload.parse(input);
      const forget = (size: number) => trail.forgetOrigins(userId, size);
      await inBatches(forget, { signal, budget: Number.POSITIVE_INFINITY });
      // Otherwise a job that was stopped between two batches would count as done.
      signal.throwIfAborted();
    },
  };
}
