import { defineError } from '@shop/service-kit/errors/app-error';

export const UnreadableFile = defineError(400, 'unreadable_file', (detail: string) => detail);
export const ImportRunning = defineError(
  409,
  'import_running',
  'Another import of yours is running; wait for its end',
);
