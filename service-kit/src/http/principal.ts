/** A signed-in person, from the access token. */
export interface User {
  readonly kind: 'user';
  readonly id: number;
  readonly role: 'customer' | 'admin';
  readonly sessionId: string;
}

/** Another service of this deployment, from its service token. */
export interface Service {
  readonly kind: 'service';
  readonly name: string;
}
