export interface Item {
  product_id: number;
  quantity: number;
}

export interface WantedReservation {
  orderId: number;
  reservationId: string;
  /** In id order, each product once. */
  items: Item[];
}

/** What confirmations and releases name; ids of orders and requests are for the logs. */
export interface Confirmation {
  reservationIds: string[];
  orderIds?: number[];
  requestId: string;
}

export interface Release {
  reservationId: string;
  orderId?: number | undefined;
  requestId: string;
}
