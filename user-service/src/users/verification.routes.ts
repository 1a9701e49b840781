import { defineRoute } from '@shop/service-kit/http/define-route';
import { originOf } from '../audit/origin.ts';
import { errorsOf } from './user.errors.ts';
import { done, verification } from './user.schemas.ts';
import type { VerificationUseCases } from './verification.use-cases.ts';

export function verificationRoutes(verifications: VerificationUseCases) {
  return [
    defineRoute({
      method: 'post',
      path: '/api/users/verify-email',
      operationId: 'verifyEmail',
      tag: 'Users',
      summary: 'Verify an email address with the token of an emailed link',
      who: 'anyone',
      limit: 'user_writes',
      body: verification,
      status: 200,
      response: done('Email verified successfully'),
      errors: errorsOf.verifyEmail,
      async handler({ body, caller }) {
        await verifications.verify(body.token, originOf(caller));
        return { message: 'Email verified successfully' };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/users/me/verify-email',
      operationId: 'requestEmailVerification',
      tag: 'Users',
      summary: 'Resend the email that verifies the address',
      who: 'user',
      limit: 'user_writes',
      status: 202,
      response: done('Unless your address is verified already, an email with a link is on its way'),
      async handler({ user }) {
        await verifications.request(user);
        return { message: 'Unless your address is verified already, an email with a link is on its way' };
      },
    }),
  ];
}
