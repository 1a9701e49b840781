import { createRequire } from 'node:module';
import { ValidationFailed } from '@shop/service-kit/errors/http-errors';
import { identityKey } from '../identity/identity.ts';

export interface Person {
  username: string;
  email: string;
}

/** What a new password must fulfil. */
export interface PasswordRules {
  minLength: number;
  isCommon(password: string): boolean;
  /** Whether the password is the username or the email. */
  isPersonal(password: string, person: Person): boolean;
}

/** For passwords that are compared, not set. */
export const ANY_PASSWORD: PasswordRules = {
  minLength: 1,
  isCommon: () => false,
  isPersonal: () => false,
};

/** @param refuseCommon `PASSWORD_REFUSE_COMMON`: only then the list of 49,000 passwords is loaded, about 8 MB */
export function createPasswordRules(minLength: number, refuseCommon: boolean): PasswordRules {
  if (!refuseCommon) return { ...ANY_PASSWORD, minLength };
  const common = loadCommonPasswords();
  return {
    minLength,
    isCommon: (password) => common.has(password.toLowerCase()),
    isPersonal(password, { username, email }) {
      const key = identityKey(password);
      return key === identityKey(username) || key === identityKey(email);
    },
  };
}

/** Lower-case, of the length of any rule. */
function loadCommonPasswords(): ReadonlySet<string> {
  const require = createRequire(import.meta.url);
  const { dictionary } = require('@zxcvbn-ts/language-common') as typeof import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common']);
}

export const personalIssue = (label: string) => `${label} must not be the username or the email`;

/** For use-cases: the schema of the body does not know whose password it is. @throws ValidationFailed */
export function refusePersonal(rules: PasswordRules, newPassword: string, person: Person): void {
  if (!rules.isPersonal(newPassword, person)) return;
  throw new ValidationFailed([
    { path: 'new_password', code: 'too_personal', message: personalIssue('New password') },
  ]);
}
