/** One request of a client and its response. */
export interface Attempt {
  /** Milliseconds since the round began. */
  at: number;
  took: number;
  /** 0 when there was no response. */
  status: number;
  text: string;
}

export interface Basket {
  products: { product_id: number; quantity: number }[];
  expected_total?: number;
  /** Identifies this order. */
  note: string;
}

export interface Placement {
  kind: 'place';
  userId: number;
  key: string | null;
  basket: Basket;
  attempts: Attempt[];
}

interface StatusChange {
  kind: 'change';
  orderId: number;
  to: string;
  attempts: Attempt[];
}

export interface History {
  readonly placements: Placement[];
  readonly changes: StatusChange[];
}

interface ProblemJson {
  code?: string;
  detail?: string;
}

export interface CreatedJson {
  order: {
    id: number;
    total_amount: number;
    products: { product_id: number; quantity: number; price: number }[];
  };
}

export const codeOf = ({ text }: Attempt): string | undefined => {
  try {
    return (JSON.parse(text) as ProblemJson).code;
  } catch {
    return undefined;
  }
};

export const createdIn = (attempt: Attempt): CreatedJson => JSON.parse(attempt.text) as CreatedJson;

/** Whether a response is final: an order, or a refusal for a business reason. */
export function isFinal(attempt: Attempt): boolean {
  if (attempt.status === 409) return codeOf(attempt) !== 'idempotency_in_flight';
  return attempt.status !== 0 && attempt.status !== 503;
}
