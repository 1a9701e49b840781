import { fieldCode, text } from '@shop/service-kit/http/fields';
import { isEmail, isUsername, MAX_EMAIL, MAX_USERNAME } from './identity.ts';

const toNfc = (value: string) => value.normalize('NFC');

export const username = text('Username', { min: 3, max: MAX_USERNAME })
  .transform(toNfc)
  .refine(isUsername, {
    error: 'Username may have letters, digits, "_", "." and "-" only',
    ...fieldCode('invalid_characters'),
  })
  .meta({
    description: 'Letters of any script, digits, `_`, `.` and `-`. Unique in any case and Unicode form.',
    pattern: '^[\\p{L}\\p{M}\\p{Nd}_.-]+$',
    example: 'ada_lovelace',
  });
export const email = text('Email', { max: MAX_EMAIL })
  .transform(toNfc)
  .refine(isEmail, { error: 'Invalid email format', ...fieldCode('invalid_email') })
  .meta({
    description: 'Unique in any case and Unicode form.',
    format: 'idn-email',
    example: 'ada_lovelace@example.com',
  });
