// Written by `npm run docs` from docs/openapi.json.

export type paths = {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the public keys that verify access tokens
         * @description A JWK Set (RFC 7517), empty while tokens are signed with a shared secret.
         *
         *     Access: Anyone.
         */
        get: operations["getPublicKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with username or email
         * @description Unknown users and wrong passwords get the same response. After 10 failures within 15 minutes (defaults) the account is locked until that window ends (429), even for the correct password. Repeated locks last up to four times as long. A user has at most 50 sessions; one more revokes the one used least recently.
         *
         *     Access: Anyone.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a refresh token for new tokens
         * @description The refresh token goes in the body, or as the Bearer token. It is valid once: using it again is `token_reused` and revokes the session, except when the last call is retried within 10 s.
         *
         *     Access: Anyone.
         */
        post: operations["refreshTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out: revoke this session
         * @description Its access tokens stop working in every service within 5 s.
         *
         *     Access: Signed-in users.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/logout-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke all sessions of the signed-in user
         * @description Their access tokens stop working in every service within 5 s.
         *
         *     Access: Signed-in users.
         */
        post: operations["logoutEverywhere"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the sessions of the signed-in user
         * @description Access: Signed-in users.
         */
        get: operations["listMySessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/me/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke one session of the signed-in user
         * @description Access: Signed-in users, only the user whose session it is.
         */
        delete: operations["revokeMySession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change the password of the signed-in user
         * @description Revokes every other session. The response has new tokens for this one.
         *
         *     Access: Signed-in users.
         */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Email a link that resets the password
         * @description The response is the same for an address that no account has. The link is valid for 30 minutes, once.
         *
         *     Access: Anyone.
         */
        post: operations["requestPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/password-reset/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a new password with the token of an emailed link
         * @description Revokes all sessions of the user, and lifts the lock after too many failed logins.
         *
         *     Access: Anyone.
         */
        post: operations["resetPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open an account and sign in
         * @description Access: Anyone.
         */
        post: operations["registerUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the signed-in user
         * @description Access: Signed-in users.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List and search users
         * @description Access: Admins.
         */
        get: operations["listUsers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get one user
         * @description Access: Signed-in users, only the user themselves and admins.
         */
        get: operations["getUser"];
        /**
         * Change the name or email address of a user
         * @description A new email address starts unverified. The old address is notified by email.
         *
         *     Access: Signed-in users, only the user themselves and admins.
         */
        put: operations["updateUser"];
        post?: never;
        /**
         * Delete a user and their personal data
         * @description Revokes all their sessions and takes their products off sale. Orders stay, without address and note once they have ended. The last admin cannot be deleted.
         *
         *     Access: Signed-in users, only the user themselves and admins.
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{id}/role": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Make a user an admin, or a customer again
         * @description There is always at least one admin. Admins cannot change their own role.
         *
         *     Access: Admins, only for users other than themselves.
         */
        put: operations["setUserRole"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the sessions of a user
         * @description Access: Admins.
         */
        get: operations["listUserSessions"];
        put?: never;
        post?: never;
        /**
         * Revoke all sessions of a user
         * @description Access: Admins.
         */
        delete: operations["revokeUserSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/verify-email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verify an email address with the token of an emailed link
         * @description Access: Anyone.
         */
        post: operations["verifyEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/me/verify-email": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resend the email that verifies the address
         * @description Access: Signed-in users.
         */
        post: operations["requestEmailVerification"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/users/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List security events, newest first
         * @description Who did what, to whom and from where: sign-ins, failed logins, changes of passwords, roles and accounts.
         *
         *     Access: Admins.
         */
        get: operations["listAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List, filter and search products
         * @description `q` finds products that have every word of it, whole or as the beginning of a word, in name, SKU, category or description. Case, accents and punctuation do not matter. In Chinese, Japanese, Korean and Thai any two consecutive characters are found. A word found in fewer than five products also matches the closest known words, one or two letters away. Words with a digit do not.
         *
         *     A search is ordered by `relevance`: SKU, whole name, words of the name, beginnings of words, category, description, then newest. `sort=name` sorts in language order (apple, Über, Zebra).
         *
         *     A change is visible within 1 s, a pure stock change within 5 s, also in `in_stock`.
         *
         *     Access: Anyone.
         */
        get: operations["listProducts"];
        put?: never;
        /**
         * Create a product
         * @description The creator owns the product. It is on sale immediately.
         *
         *     Access: Signed-in users, only admins where PRODUCT_CREATION is admin.
         */
        post: operations["createProduct"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/products/categories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the categories that have products, in language order
         * @description At most 1,000. If there are more, those with the most products are listed; of the categories that only one seller uses, the 50 with the most come before the others.
         *
         *     Access: Anyone.
         */
        get: operations["listCategories"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/products/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get one product
         * @description Access: Anyone.
         */
        get: operations["getProduct"];
        /**
         * Change a product; name and price are required
         * @description Optional fields that are left out stay as they are; null clears them. With `If-Match` the change is made only if the product is still the one with this `ETag`; a change of the stock alone does not count unless `stock` is set.
         *
         *     Access: Signed-in users, only its owner or an admin.
         */
        put: operations["replaceProduct"];
        post?: never;
        /**
         * Delete a product
         * @description It leaves the catalogue and can no longer be ordered. Existing orders keep their lines.
         *
         *     Access: Signed-in users, only its owner or an admin.
         */
        delete: operations["deleteProduct"];
        options?: never;
        head?: never;
        /**
         * Change some fields of a product
         * @description Optional fields that are left out stay as they are; null clears them. With `If-Match` the change is made only if the product is still the one with this `ETag`; a change of the stock alone does not count unless `stock` is set.
         *
         *     Access: Signed-in users, only its owner or an admin.
         */
        patch: operations["updateProduct"];
        trace?: never;
    };
    "/api/products/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create and update products from a file
         * @description A row whose SKU exists updates that product, with whichever columns it has; any other row creates one. CSV needs a first line with column names; an empty cell leaves a field as it is. A form has the file in its field `file`.
         *
         *     The body is read as a stream. Refused rows are reported; the others are written. If an import is cut off, the problem document has the counts so far and `last_line`.
         *
         *     Access: Signed-in users, only admins where PRODUCT_CREATION is admin.
         */
        post: operations["importProducts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/products/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download products as a file that import reads back
         * @description The caller's own products that match all filters, in the order of their ids; for admins those of all sellers.
         *
         *     Access: Signed-in users.
         */
        get: operations["exportProducts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/products/{id}/stock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Add to the stock of a product, or take from it
         * @description `quantity` is added to the stock; a negative value reduces it. If there is too little stock, nothing changes (`insufficient_stock`). To set the stock to a value, use PUT or PATCH of the product.
         *
         *     Access: Signed-in users, only its owner or an admin.
         */
        put: operations["adjustStock"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/products/{id}/stock-movements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the stock movements of a product, newest first
         * @description The ledger: all deltas of a product add up to its stock.
         *
         *     Access: Signed-in users, only its owner or an admin.
         */
        get: operations["listStockMovements"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List orders, newest first
         * @description By default the caller's own orders. With `scope=selling`, the orders with products sold by the caller; these show the caller's lines only.
         *
         *     Access: Signed-in users.
         */
        get: operations["listOrders"];
        put?: never;
        /**
         * Place an order
         * @description Prices come from the catalogue, never from the client. All lines are ordered or none: `details` lists every product that is not sold (404), or that has too little stock (400).
         *
         *     With an `Idempotency-Key` the request may be sent again, with the same body, until there is a response: the order is placed once, and later responses repeat the first one with `Idempotent-Replayed: true`. The refusals 404, 400 `insufficient_stock` and `total_too_large`, and 409 `price_changed` are repeated too; validation errors, 429 and 503 are not, so that the request can be corrected or retried with the same key.
         *
         *     The same key with another body is 422 `idempotency_mismatch`. While the first request is running, a second one gets 409 `idempotency_in_flight` with `Retry-After`.
         *
         *     Access: Signed-in users.
         */
        post: operations["placeOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/orders/quote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Quote the current price of a basket
         * @description Takes the body of an order. Reserves nothing and orders nothing.
         *
         *     Access: Signed-in users.
         */
        post: operations["quoteOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/orders/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return counts and the total of the caller's orders
         * @description Access: Signed-in users.
         */
        get: operations["getOrderStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get one order
         * @description A seller sees their own lines only (`partial`). An order that the caller may not see gets 404, like one that does not exist.
         *
         *     Access: Signed-in users, only its buyer, sellers and admins.
         */
        get: operations["getOrder"];
        put?: never;
        post?: never;
        /**
         * Cancel an order
         * @description Possible while it is `pending` or `processing`. The stock is returned once, however often the request is sent.
         *
         *     Access: Signed-in users, only its buyer and admins.
         */
        delete: operations["cancelOrder"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/orders/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List an order's past statuses and who set them
         * @description Access: Signed-in users, only its buyer, sellers and admins.
         */
        get: operations["getOrderHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/orders/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the status of an order
         * @description `pending` → `processing` or `cancelled`; `processing` → `shipped` or `cancelled`; `shipped` → `delivered`. Cancelling returns the stock. Setting the current status again is `invalid_transition`.
         *
         *     Access: Signed-in users, only admins and the seller of every line.
         */
        put: operations["setOrderStatus"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
};
export type webhooks = Record<string, never>;
export type components = {
    schemas: {
        /** @description Every failure (RFC 9457, `application/problem+json`). */
        Problem: {
            /** @description Of another kind for some values of `code`. */
            errors?: string[] | components["schemas"]["RefusedRow"][];
            /** @description Of another kind for some values of `code`. */
            details?: components["schemas"]["FieldIssue"][] | components["schemas"]["ShortLine"][];
            quote?: components["schemas"]["Quote"];
            /**
             * @description `urn:problem-type:` and the code.
             * @example urn:problem-type:internal
             */
            type: string;
            /**
             * @description The HTTP status in words.
             * @example Internal Server Error
             */
            title: string;
            /**
             * Format: int32
             * @description The HTTP status.
             * @example 500
             */
            status: number;
            /**
             * @description What went wrong, for people.
             * @example Something went wrong on our side
             */
            detail: string;
            /**
             * @description The same as `detail`, for clients of the original API.
             * @example Something went wrong on our side
             */
            error: string;
            /**
             * @description The same as `X-Request-Id`.
             * @example 5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a
             */
            request_id: string;
            /**
             * @description Stable; switch on this.
             * @enum {string}
             */
            code: "body_too_large" | "busy" | "email_not_verified" | "email_taken" | "forbidden" | "headers_too_large" | "http_version_not_supported" | "idempotency_in_flight" | "idempotency_mismatch" | "import_running" | "insufficient_stock" | "internal" | "invalid_credentials" | "invalid_token" | "invalid_transition" | "last_admin" | "malformed_request" | "method_not_allowed" | "not_cancellable" | "not_found" | "not_implemented" | "order_not_found" | "price_changed" | "product_busy" | "product_not_found" | "product_service_unavailable" | "rate_limited" | "request_timeout" | "session_not_found" | "sku_taken" | "starting" | "stock_limit_exceeded" | "token_reused" | "too_many_failures" | "total_too_large" | "unauthenticated" | "unavailable" | "unreadable_file" | "unsupported_media_type" | "uri_too_long" | "user_not_found" | "username_taken" | "validation_failed" | "version_mismatch" | "wrong_password";
            /**
             * Format: int64
             * @description Rows that created a product.
             * @example 1
             */
            created?: number;
            /**
             * Format: int64
             * @description Rows that changed the product with their SKU.
             * @example 1
             */
            updated?: number;
            /**
             * Format: int64
             * @description Rows that changed nothing.
             * @example 0
             */
            unchanged?: number;
            /**
             * Format: int64
             * @description Rows that were refused.
             * @example 0
             */
            failed?: number;
            /**
             * Format: int64
             * @description Updated and unchanged rows whose stock differs from that of their product, which was kept.
             * @example 0
             */
            stock_kept?: number;
            /**
             * @description More rows were refused than are listed.
             * @example false
             */
            errors_truncated?: boolean;
            /**
             * Format: int64
             * @description The last line that was processed before the import ended early.
             */
            last_line?: number;
        };
        /** @description A public key (RFC 7517). */
        PublicKey: {
            /** @constant */
            kty: "EC";
            /** @constant */
            crv: "P-256";
            /**
             * @description The x coordinate, base64url.
             * @example f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU
             */
            x: string;
            /**
             * @description The y coordinate, base64url.
             * @example f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU
             */
            y: string;
            /**
             * @description Names the key in tokens.
             * @example 2026-11
             */
            kid: string;
            /** @constant */
            alg: "ES256";
            /** @constant */
            use: "sig";
        };
        /** @description One refused field of a request. */
        FieldIssue: {
            /**
             * @description Name of the field, with a dot before each nested name; empty for the body itself.
             * @example products.0.quantity
             */
            path: string;
            /**
             * @description What is wrong with it; stable.
             * @example too_small
             * @enum {string}
             */
            code: "required" | "unknown_field" | "not_a_string" | "not_a_number" | "not_an_integer" | "not_a_boolean" | "not_an_object" | "not_a_list" | "not_a_time" | "not_a_url" | "not_a_uuid" | "not_allowed" | "invalid_characters" | "too_short" | "too_long" | "too_small" | "too_large" | "out_of_range" | "not_in_order" | "too_many_decimals" | "invalid_email" | "too_common" | "too_personal" | "invalid";
            /**
             * @description The same, for people.
             * @example Product 0: quantity must be a positive integer
             */
            message: string;
            /**
             * @description Minimum value or length.
             * @example 1
             */
            minimum?: number;
            /** @description Maximum value, length or number of decimals. */
            maximum?: number;
        };
        ValidationFailedProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "validation_failed";
            /** @description The messages of the refused fields. */
            errors: string[];
            /** @description The refused fields, in the same order. */
            details: components["schemas"]["FieldIssue"][];
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "validation_failed";
        };
        MalformedRequestProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "malformed_request";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "malformed_request";
        };
        /** @description An account. */
        User: {
            /**
             * Format: int32
             * @description Id of the user.
             * @example 1
             */
            id: number;
            /**
             * @description Unique in any case and Unicode form.
             * @example ada_lovelace
             */
            username: string;
            /**
             * Format: idn-email
             * @description Unique in any case and Unicode form.
             * @example ada_lovelace@example.com
             */
            email: string;
            /**
             * @description What the user may do.
             * @example customer
             * @enum {string}
             */
            role: "customer" | "admin";
            /**
             * @description Whether the user has opened a link that was emailed there.
             * @example false
             */
            email_verified: boolean;
            /**
             * Format: date-time
             * @description When the account was opened.
             * @example 2026-11-26T10:15:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed.
             * @example 2026-11-26T10:15:00.000Z
             */
            updated_at: string;
        };
        /** @description The tokens of a session. */
        Tokens: {
            /**
             * @description A JWT for `Authorization: Bearer`, in all services.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl
             */
            access_token: string;
            /**
             * @description For one call of `refreshTokens`, within 30 days by default.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl
             */
            refresh_token: string;
            /** @constant */
            token_type: "Bearer";
            /**
             * Format: int64
             * @description Seconds until the access token expires.
             * @example 3600
             */
            expires_in: number;
        };
        BodyTooLargeProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "body_too_large";
        };
        UnsupportedMediaTypeProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "unsupported_media_type";
        };
        RateLimitedProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "rate_limited";
        };
        InvalidCredentialsProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "invalid_credentials";
        };
        EmailNotVerifiedProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "email_not_verified";
        };
        BusyProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "busy";
        };
        InvalidTokenProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "invalid_token";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "invalid_token";
        };
        TokenReusedProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "token_reused";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "token_reused";
        };
        UnauthenticatedProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "unauthenticated";
        };
        /** @description A user's session. */
        Session: {
            /**
             * Format: uuid
             * @description Id of the session.
             * @example 5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a
             */
            id: string;
            /**
             * Format: date-time
             * @description When it began.
             * @example 2026-11-26T10:15:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When tokens were last issued for it.
             * @example 2026-11-26T10:15:00.000Z
             */
            last_used_at: string;
            /**
             * @description The browser or app that used it last.
             * @example Mozilla/5.0
             */
            user_agent: string | null;
            /**
             * @description The address that used it last.
             * @example 203.0.113.7
             */
            ip: string | null;
            /**
             * @description Whether this request uses it.
             * @example true
             */
            current: boolean;
        };
        SessionNotFoundProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "session_not_found";
        };
        WrongPasswordProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "wrong_password";
        };
        UsernameTakenProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "username_taken";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "username_taken";
        };
        EmailTakenProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "email_taken";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "email_taken";
        };
        /** @description A page of users. */
        UserPage: {
            /** @description The rows of this page. */
            users: components["schemas"]["User"][];
            /**
             * Format: int64
             * @description Number of matching rows. Exact up to 10,000; a lower bound if `pages_capped` is true.
             * @example 1
             */
            total: number;
            /**
             * @description Number of this page; null after a `cursor`.
             * @example 1
             */
            page: number | null;
            /**
             * Format: int64
             * @description The last page that can be requested by number.
             * @example 1
             */
            pages: number;
            /**
             * @description True if there are more rows than pages can reach: follow `next_cursor`.
             * @example false
             */
            pages_capped: boolean;
            /**
             * Format: int32
             * @description Rows per page.
             * @example 20
             */
            per_page: number;
            /**
             * @description The `cursor` of the next page; null on the last one.
             * @example null
             */
            next_cursor: string | null;
        };
        ForbiddenProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "forbidden";
        };
        UserNotFoundProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "user_not_found";
        };
        LastAdminProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "last_admin";
        };
        /** @description Security events, newest first. */
        AuditEventPage: {
            /** @description The rows of this page. */
            events: components["schemas"]["AuditEvent"][];
            /**
             * Format: int64
             * @description Number of matching rows. Exact up to 10,000; a lower bound if `pages_capped` is true.
             * @example 1
             */
            total: number;
            /**
             * @description Number of this page; null after a `cursor`.
             * @example 1
             */
            page: number | null;
            /**
             * Format: int64
             * @description The last page that can be requested by number.
             * @example 1
             */
            pages: number;
            /**
             * @description True if there are more rows than pages can reach: follow `next_cursor`.
             * @example false
             */
            pages_capped: boolean;
            /**
             * Format: int32
             * @description Rows per page.
             * @example 20
             */
            per_page: number;
            /**
             * @description The `cursor` of the next page; null on the last one.
             * @example null
             */
            next_cursor: string | null;
            /**
             * @description There may be more rows than `total` says.
             * @example false
             */
            total_is_estimate: boolean;
        };
        /** @description A security event. */
        AuditEvent: {
            /**
             * Format: int64
             * @description Id of the event.
             * @example 1
             */
            id: number;
            /**
             * @description What happened.
             * @example registered
             */
            event: string;
            /**
             * @description Whom it is about; null for an unknown name.
             * @example 1
             */
            user_id: number | null;
            /**
             * @description Who did it; null when not signed in.
             * @example 1
             */
            actor_id: number | null;
            /**
             * @description Address of the client.
             * @example 203.0.113.7
             */
            ip: string | null;
            /**
             * @description Browser or app of the client.
             * @example Mozilla/5.0
             */
            user_agent: string | null;
            /**
             * @description `X-Request-Id` of the request.
             * @example 5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a
             */
            request_id: string | null;
            /**
             * @description Further facts about the event.
             * @example {}
             */
            details: {
                [key: string]: string | number;
            };
            /**
             * Format: date-time
             * @description When it happened.
             * @example 2026-11-26T10:15:00.000Z
             */
            created_at: string;
        };
        /** @description A product to put on sale. */
        NewProduct: {
            /**
             * @description At least 3 characters, unless it has a letter of another script than Latin.
             * @example Desk lamp
             */
            name: string;
            /** @description In major units of the currency, with at most 2 decimals (USD). */
            price: number;
            /**
             * @description Description of the product.
             * @example Brass, with a dimmer
             */
            description?: string | null;
            /**
             * @description The category. Categories that differ only in case or Unicode form are one category, spelled as it was first written.
             * @default General
             * @example Lighting
             */
            category?: string | null;
            /** @description Stock-keeping unit: the seller's own code, unique in the shop. */
            sku?: string | null;
            /**
             * @description An http(s) address, or a path of the storefront that begins with `/`.
             * @example /images/desk-lamp.jpg
             */
            image_url?: string | null;
            /**
             * Format: int32
             * @description Units in stock.
             * @default 0
             * @example 50
             */
            stock?: number | null;
        };
        /** @description A product of the catalogue. */
        Product: {
            /**
             * Format: int32
             * @description Id of the product.
             * @example 1
             */
            id: number;
            /**
             * @description Name.
             * @example Desk lamp
             */
            name: string;
            /**
             * @description Description of the product; may be empty.
             * @example Brass, with a dimmer
             */
            description: string;
            /**
             * @description Price of one unit, in major units of `currency`.
             * @example 39.9
             */
            price: number;
            /**
             * @description ISO 4217 code.
             * @example USD
             */
            currency: string;
            /**
             * Format: int64
             * @description Units in stock. May be up to 5 s old in lists; availability is decided when an order is placed.
             * @example 50
             */
            stock: number;
            /**
             * @description Its category.
             * @example Lighting
             */
            category: string;
            /**
             * @description Stock-keeping unit: the seller's own code, unique in the shop.
             * @example LAMP-1
             */
            sku: string | null;
            /**
             * @description An http(s) address, or a path of the storefront.
             * @example /images/desk-lamp.jpg
             */
            image_url: string | null;
            /**
             * Format: int32
             * @description Id of the seller.
             * @example 1
             */
            owner_id: number;
            /**
             * Format: int64
             * @description Counts changes except those of the stock.
             * @example 1
             */
            version: number;
            /**
             * Format: date-time
             * @description When it was put on sale.
             * @example 2026-11-26T10:15:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed.
             * @example 2026-11-26T10:15:00.000Z
             */
            updated_at: string;
        };
        SkuTakenProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "sku_taken";
        };
        ProductBusyProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "product_busy";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "product_busy";
        };
        /** @description A page of products. */
        ProductPage: {
            /** @description The rows of this page. */
            products: components["schemas"]["Product"][];
            /**
             * Format: int64
             * @description Number of matching rows; exact unless `total_is_estimate` is true.
             * @example 1
             */
            total: number;
            /**
             * @description Number of this page; null after a `cursor`.
             * @example 1
             */
            page: number | null;
            /**
             * Format: int64
             * @description The last page that can be requested by number.
             * @example 1
             */
            pages: number;
            /**
             * @description True if there are more rows than pages can reach: follow `next_cursor`.
             * @example false
             */
            pages_capped: boolean;
            /**
             * Format: int32
             * @description Rows per page.
             * @example 20
             */
            per_page: number;
            /**
             * @description The `cursor` of the next page; null on the last one.
             * @example null
             */
            next_cursor: string | null;
            /**
             * @description True if more than 10,000 rows are expected to match. `total` is an estimate then, which may be too high or too low, most of all in the minute after many changes.
             * @example false
             */
            total_is_estimate: boolean;
        };
        /** @description The categories that have products. */
        Categories: {
            /**
             * @description Sorted.
             * @example [
             *       "Audio",
             *       "Lighting"
             *     ]
             */
            categories: string[];
            /** @description Products of each category, with `counts=true`. */
            counts?: {
                [key: string]: number;
            };
        };
        ProductNotFoundProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "product_not_found";
            /** @description The products that are not sold, or no longer. */
            details?: components["schemas"]["ShortLine"][];
        };
        /** @description The fields of a product to change. */
        ProductReplacement: {
            /**
             * @description At least 3 characters, unless it has a letter of another script than Latin.
             * @example Desk lamp
             */
            name: string;
            /** @description In major units of the currency, with at most 2 decimals (USD). */
            price: number;
            /**
             * @description Description of the product.
             * @example Brass, with a dimmer
             */
            description?: string | null;
            /**
             * @description The category. Categories that differ only in case or Unicode form are one category, spelled as it was first written.
             * @example Lighting
             */
            category?: string | null;
            /** @description Stock-keeping unit: the seller's own code, unique in the shop. */
            sku?: string | null;
            /** @description An http(s) address, or a path of the storefront that begins with `/`. */
            image_url?: string | null;
            /**
             * Format: int32
             * @description Units in stock.
             * @example 50
             */
            stock?: number | null;
        };
        VersionMismatchProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "version_mismatch";
        };
        /** @description At least one field to change. */
        ProductUpdate: {
            /**
             * @description Description of the product.
             * @example Brass, with a dimmer
             */
            description?: string | null;
            /**
             * @description The category. Categories that differ only in case or Unicode form are one category, spelled as it was first written.
             * @example Lighting
             */
            category?: string | null;
            /** @description Stock-keeping unit: the seller's own code, unique in the shop. */
            sku?: string | null;
            /** @description An http(s) address, or a path of the storefront that begins with `/`. */
            image_url?: string | null;
            /**
             * Format: int32
             * @description Units in stock.
             * @example 50
             */
            stock?: number | null;
            /**
             * @description At least 3 characters, unless it has a letter of another script than Latin.
             * @example Desk lamp
             */
            name?: string;
            /** @description In major units of the currency, with at most 2 decimals (USD). */
            price?: number;
        };
        /** @description A row of an imported file that was refused. */
        RefusedRow: {
            /**
             * Format: int64
             * @description Line of the file, from 1.
             * @example 3
             */
            line: number;
            /**
             * @description Why it was refused.
             * @example Name is required
             */
            message: string;
        };
        /** @description The outcome of an import. */
        ImportResult: {
            /**
             * Format: int64
             * @description Rows that created a product.
             * @example 1
             */
            created: number;
            /**
             * Format: int64
             * @description Rows that changed the product with their SKU.
             * @example 1
             */
            updated: number;
            /**
             * Format: int64
             * @description Rows that changed nothing.
             * @example 0
             */
            unchanged: number;
            /**
             * Format: int64
             * @description Rows that were refused.
             * @example 0
             */
            failed: number;
            /**
             * Format: int64
             * @description Updated and unchanged rows whose stock differs from that of their product, which was kept.
             * @example 0
             */
            stock_kept: number;
            /**
             * @description The refused rows, or the first of them.
             * @example []
             */
            errors: components["schemas"]["RefusedRow"][];
            /**
             * @description More rows were refused than are listed.
             * @example false
             */
            errors_truncated: boolean;
        };
        UnreadableFileProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "unreadable_file";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "unreadable_file";
        };
        TooManyFailuresProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "too_many_failures";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "too_many_failures";
        };
        ImportRunningProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "import_running";
        };
        UnavailableProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "unavailable";
        };
        /** @description A change of the stock of a product. */
        StockAdjustment: {
            /**
             * Format: int32
             * @description Units to add; negative to remove.
             * @example 10
             */
            quantity: number;
            /**
             * @description Shown in the ledger; `adjustment` if omitted.
             * @example delivery
             */
            reason?: string | null;
        };
        /** @description A product with fewer units available than were requested. */
        ShortLine: {
            /**
             * Format: int32
             * @description Id of the product.
             * @example 1
             */
            product_id: number;
            /**
             * Format: int64
             * @description Units requested.
             * @example 5
             */
            requested: number;
            /**
             * Format: int64
             * @description Units that were available at that moment; 0 of a product that is not sold.
             * @example 2
             */
            available: number;
        };
        InsufficientStockProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "insufficient_stock";
            /** @description The products with too little stock. */
            details: components["schemas"]["ShortLine"][];
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "insufficient_stock";
        };
        StockLimitExceededProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "stock_limit_exceeded";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "stock_limit_exceeded";
        };
        /** @description Stock movements, newest first. */
        StockMovementPage: {
            /** @description The rows of this page. */
            movements: components["schemas"]["StockMovement"][];
            /**
             * Format: int64
             * @description Number of matching rows. Exact up to 10,000; a lower bound if `pages_capped` is true.
             * @example 1
             */
            total: number;
            /**
             * @description Number of this page; null after a `cursor`.
             * @example 1
             */
            page: number | null;
            /**
             * Format: int64
             * @description The last page that can be requested by number.
             * @example 1
             */
            pages: number;
            /**
             * @description True if there are more rows than pages can reach: follow `next_cursor`.
             * @example false
             */
            pages_capped: boolean;
            /**
             * Format: int32
             * @description Rows per page.
             * @example 20
             */
            per_page: number;
            /**
             * @description The `cursor` of the next page; null on the last one.
             * @example null
             */
            next_cursor: string | null;
        };
        /** @description One change of the stock of a product. */
        StockMovement: {
            /**
             * Format: int64
             * @description Ascending in time.
             * @example 1
             */
            id: number;
            /**
             * Format: int64
             * @description Units added; negative if removed.
             * @example 10
             */
            delta: number;
            /**
             * @description The reason of an adjustment, or the event that caused the change.
             * @example delivery
             */
            reason: string;
            /**
             * @description `user:` and an id, or `service:` and a name.
             * @example user:1
             */
            actor: string;
            /**
             * @description The reservation that caused it; null for other changes.
             * @example null
             */
            reference: string | null;
            /**
             * Format: int64
             * @description Units after it.
             * @example 50
             */
            stock_after: number;
            /**
             * Format: date-time
             * @description When it happened.
             * @example 2026-11-26T10:15:00.000Z
             */
            created_at: string;
        };
        /** @description The lines of an order and its shipping address. */
        OrderRequest: {
            /**
             * @description The lines to order. Lines of the same product are merged; together they may have at most 10000 units.
             * @example [
             *       {
             *         "product_id": 1,
             *         "quantity": 1
             *       }
             *     ]
             */
            products: components["schemas"]["BasketLine"][];
            /** @description The total shown to the buyer, in major units. If the order would cost something else, it is refused with `price_changed` and a new quote. Rounded to the decimals of the currency. */
            expected_total?: number | null;
            /** @description Shipping address. */
            shipping_address?: components["schemas"]["ShippingAddress"] | null;
            /**
             * @description A note for the sellers.
             * @example Leave it at the door
             */
            note?: string | null;
        };
        /** @description A product to order, and the number of units. */
        BasketLine: {
            /**
             * Format: int32
             * @description Id of the product.
             * @example 1
             */
            product_id: number;
            /**
             * Format: int32
             * @description Units.
             * @example 1
             */
            quantity: number;
        };
        /** @description The shipping address of an order. */
        ShippingAddress: {
            /**
             * @description Name of the recipient.
             * @example Ada Lovelace
             */
            name: string;
            /**
             * @description Street and number.
             * @example 12 St James Square
             */
            line1: string;
            /**
             * @description Second address line.
             * @example Floor 2
             */
            line2?: string | null;
            /**
             * @description City.
             * @example London
             */
            city: string;
            /**
             * @description State or region.
             * @example England
             */
            region?: string | null;
            /**
             * @description Required in countries that have postal codes.
             * @example SW1Y 4JH
             */
            postal_code?: string | null;
            /**
             * @description ISO 3166-1 alpha-2 code.
             * @example GB
             */
            country: string;
            /**
             * @description For the carrier.
             * @example +44 20 7946 0000
             */
            phone?: string | null;
        };
        /** @description An order. A seller sees the lines of their own products only. */
        Order: {
            /**
             * Format: int32
             * @description Id of the order.
             * @example 1
             */
            id: number;
            /**
             * Format: int32
             * @description Id of the buyer.
             * @example 1
             */
            user_id: number;
            /** @description Ascending by `product_id`, each product once. */
            products: components["schemas"]["OrderLine"][];
            /**
             * @description Sum of all subtotals.
             * @example 39.9
             */
            total_amount: number;
            /**
             * @description Present for a seller if the order has lines of other sellers: these are left out of the lines and of the total.
             * @constant
             */
            partial?: true;
            /**
             * @description ISO 4217 code of all amounts, which are in its major units.
             * @example USD
             */
            currency: string;
            /**
             * @description Current status.
             * @example pending
             * @enum {string}
             */
            status: "pending" | "processing" | "shipped" | "delivered" | "cancelled";
            /**
             * @description Statuses that the caller may set now. A buyer sets `cancelled` by DELETE.
             * @example [
             *       "cancelled"
             *     ]
             */
            readonly allowed_transitions: ("pending" | "processing" | "shipped" | "delivered" | "cancelled")[];
            /** @description Shipping address; null if none was given or the buyer was deleted. */
            shipping_address: components["schemas"]["StoredAddress"] | null;
            /**
             * @description The buyer's note; null if there is none or the buyer was deleted.
             * @example Leave it at the door
             */
            note: string | null;
            /**
             * Format: date-time
             * @description When it was placed.
             * @example 2026-11-26T10:15:00.000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When its status last changed.
             * @example 2026-11-26T10:15:00.000Z
             */
            updated_at: string;
        };
        /** @description A product of an order, as it was at the time of the order. */
        OrderLine: {
            /**
             * Format: int32
             * @description Id of the product.
             * @example 1
             */
            product_id: number;
            /**
             * @description Name of the product at the time of the order.
             * @example Desk lamp
             */
            name: string;
            /**
             * @description Price of one unit at the time of the order, in major units of `currency`.
             * @example 39.9
             */
            price: number;
            /**
             * Format: int32
             * @description Units.
             * @example 1
             */
            quantity: number;
            /**
             * @description `price` × `quantity`.
             * @example 39.9
             */
            subtotal: number;
        };
        /** @description The shipping address as it was given. Old orders may have other fields too. */
        StoredAddress: {
            /**
             * @description Name of the recipient.
             * @example Ada Lovelace
             */
            name: string;
            /**
             * @description Street and number.
             * @example 12 St James Square
             */
            line1: string;
            /** @description Second address line. */
            line2?: string;
            /**
             * @description City.
             * @example London
             */
            city: string;
            /** @description State or region. */
            region?: string;
            /**
             * @description Postal code.
             * @example SW1Y 4JH
             */
            postal_code?: string;
            /**
             * @description ISO 3166-1 alpha-2 code.
             * @example GB
             */
            country: string;
            /** @description For the carrier. */
            phone?: string;
        } & {
            [key: string]: unknown;
        };
        TotalTooLargeProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "total_too_large";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "total_too_large";
        };
        /** @description The current price of a basket. Nothing is reserved. */
        Quote: {
            /** @description Ascending by `product_id`, each product once. */
            products: components["schemas"]["OrderLine"][];
            /**
             * @description Sum of all subtotals.
             * @example 39.9
             */
            total_amount: number;
            /**
             * @description ISO 4217 code of all amounts, which are in its major units.
             * @example USD
             */
            currency: string;
        };
        PriceChangedProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "price_changed";
            quote: components["schemas"]["Quote"];
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "price_changed";
        };
        IdempotencyInFlightProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "idempotency_in_flight";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "idempotency_in_flight";
        };
        IdempotencyMismatchProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "idempotency_mismatch";
        };
        ProductServiceUnavailableProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "product_service_unavailable";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "product_service_unavailable";
        };
        /** @description Orders, newest first. */
        OrderPage: {
            /** @description The rows of this page. */
            orders: components["schemas"]["Order"][];
            /**
             * Format: int64
             * @description Number of matching rows. Exact up to 10,000; a lower bound if `pages_capped` is true.
             * @example 1
             */
            total: number;
            /**
             * @description Number of this page; null after a `cursor`.
             * @example 1
             */
            page: number | null;
            /**
             * Format: int64
             * @description The last page that can be requested by number.
             * @example 1
             */
            pages: number;
            /**
             * @description True if there are more rows than pages can reach: follow `next_cursor`.
             * @example false
             */
            pages_capped: boolean;
            /**
             * Format: int32
             * @description Rows per page.
             * @example 20
             */
            per_page: number;
            /**
             * @description The `cursor` of the next page; null on the last one.
             * @example null
             */
            next_cursor: string | null;
        };
        /** @description Counts of the caller's orders. */
        OrderStats: {
            /**
             * Format: int64
             * @description All orders, including cancelled ones.
             * @example 3
             */
            total_orders: number;
            /**
             * @description Total of all orders that are not cancelled.
             * @example 79.8
             */
            total_spent: number;
            /**
             * Format: int64
             * @description Orders that are pending.
             * @example 1
             */
            pending_orders: number;
            /**
             * Format: int64
             * @description Orders that are delivered.
             * @example 1
             */
            completed_orders: number;
            /**
             * Format: int64
             * @description Orders that are cancelled.
             * @example 1
             */
            cancelled_orders: number;
            /**
             * @description ISO 4217 code of all amounts, which are in its major units.
             * @example USD
             */
            currency: string;
        };
        OrderNotFoundProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "order_not_found";
        };
        /** @description A status that an order has had. */
        StatusChange: {
            /**
             * @description The previous status; null for the first entry.
             * @example null
             */
            from: ("pending" | "processing" | "shipped" | "delivered" | "cancelled") | null;
            /**
             * @description The status that was set.
             * @example pending
             * @enum {string}
             */
            to: "pending" | "processing" | "shipped" | "delivered" | "cancelled";
            /**
             * @description Who set it: `user:` and an id, or `service:` and a name.
             * @example user:1
             */
            actor: string;
            /**
             * Format: date-time
             * @description When it was set.
             * @example 2026-11-26T10:15:00.000Z
             */
            at: string;
        };
        /** @description The new status of an order. */
        OrderStatusChange: {
            /**
             * @description The status to set.
             * @example processing
             * @enum {string}
             */
            status: "pending" | "processing" | "shipped" | "delivered" | "cancelled";
        };
        InvalidTransitionProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "invalid_transition";
        };
        NotCancellableProblem: components["schemas"]["Problem"] & {
            /** @constant */
            code: "not_cancellable";
        } & {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            code: "not_cancellable";
        };
    };
    responses: {
        /** @description Bad Request: `validation_failed`, `malformed_request` */
        ValidationFailedOrMalformedRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["MalformedRequestProblem"];
            };
        };
        /** @description Any other failure, among them 405, 408, 431, 500 `internal`, and 503 `unavailable`, `busy` or `starting`, which may be sent again after `Retry-After` */
        Unexpected: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "Retry-After": components["headers"]["Retry-After"];
                Allow: components["headers"]["Allow"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Payload Too Large: `body_too_large` */
        BodyTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["BodyTooLargeProblem"];
            };
        };
        /** @description Unsupported Media Type: `unsupported_media_type` */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["UnsupportedMediaTypeProblem"];
            };
        };
        /** @description Too Many Requests: `rate_limited` */
        RateLimited: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["RateLimitedProblem"];
            };
        };
        /** @description Unauthorized: `invalid_credentials` */
        InvalidCredentials: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["InvalidCredentialsProblem"];
            };
        };
        /** @description Forbidden: `email_not_verified` */
        EmailNotVerified: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["EmailNotVerifiedProblem"];
            };
        };
        /** @description Service Unavailable: `busy` */
        Busy: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["BusyProblem"];
            };
        };
        /** @description Unauthorized: `invalid_token`, `token_reused` */
        InvalidTokenOrTokenReused: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["InvalidTokenProblem"] | components["schemas"]["TokenReusedProblem"];
            };
        };
        /** @description Unauthorized: `unauthenticated` */
        Unauthenticated: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["UnauthenticatedProblem"];
            };
        };
        /** @description Not Found: `session_not_found` */
        SessionNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["SessionNotFoundProblem"];
            };
        };
        /** @description Forbidden: `wrong_password` */
        WrongPassword: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["WrongPasswordProblem"];
            };
        };
        /** @description Bad Request: `validation_failed`, `malformed_request`, `invalid_token` */
        ValidationFailedOrMalformedRequestOrInvalidToken: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["MalformedRequestProblem"] | components["schemas"]["InvalidTokenProblem"];
            };
        };
        /** @description Conflict: `username_taken`, `email_taken` */
        UsernameTakenOrEmailTaken: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["UsernameTakenProblem"] | components["schemas"]["EmailTakenProblem"];
            };
        };
        /** @description Forbidden: `forbidden` */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ForbiddenProblem"];
            };
        };
        /** @description Not Found: `user_not_found` */
        UserNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["UserNotFoundProblem"];
            };
        };
        /** @description Conflict: `last_admin` */
        LastAdmin: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["LastAdminProblem"];
            };
        };
        /** @description Conflict: `sku_taken` */
        SkuTaken: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["SkuTakenProblem"];
            };
        };
        /** @description Service Unavailable: `product_busy` */
        ProductBusy: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ProductBusyProblem"];
            };
        };
        /** @description Not Found: `product_not_found` */
        ProductNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ProductNotFoundProblem"];
            };
        };
        /** @description Precondition Failed: `version_mismatch` */
        VersionMismatch: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["VersionMismatchProblem"];
            };
        };
        /** @description Bad Request: `validation_failed`, `malformed_request`, `unreadable_file`, `too_many_failures` */
        ValidationFailedOrMalformedRequestOrUnreadableFileOrTooManyFailures: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["MalformedRequestProblem"] | components["schemas"]["UnreadableFileProblem"] | components["schemas"]["TooManyFailuresProblem"];
            };
        };
        /** @description Conflict: `import_running` */
        ImportRunning: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ImportRunningProblem"];
            };
        };
        /** @description Service Unavailable: `unavailable` */
        Unavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["UnavailableProblem"];
            };
        };
        /** @description Bad Request: `validation_failed`, `malformed_request`, `insufficient_stock`, `stock_limit_exceeded` */
        ValidationFailedOrMalformedRequestOrInsufficientStockOrStockLimitExceeded: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["MalformedRequestProblem"] | components["schemas"]["InsufficientStockProblem"] | components["schemas"]["StockLimitExceededProblem"];
            };
        };
        /** @description Bad Request: `validation_failed`, `malformed_request`, `insufficient_stock`, `total_too_large` */
        PlaceOrder400: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["MalformedRequestProblem"] | components["schemas"]["InsufficientStockProblem"] | components["schemas"]["TotalTooLargeProblem"];
            };
        };
        /** @description Not Found: `product_not_found` */
        PlaceOrder404: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ProductNotFoundProblem"];
            };
        };
        /** @description Conflict: `price_changed`, `idempotency_in_flight` */
        PlaceOrder409: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["PriceChangedProblem"] | components["schemas"]["IdempotencyInFlightProblem"];
            };
        };
        /** @description Unprocessable Entity: `idempotency_mismatch` */
        IdempotencyMismatch: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["IdempotencyMismatchProblem"];
            };
        };
        /** @description Service Unavailable: `product_service_unavailable`, `product_busy` */
        ProductServiceUnavailableOrProductBusy: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ProductServiceUnavailableProblem"] | components["schemas"]["ProductBusyProblem"];
            };
        };
        /** @description Bad Request: `validation_failed`, `malformed_request`, `insufficient_stock`, `total_too_large` */
        ValidationFailedOrMalformedRequestOrInsufficientStockOrTotalTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["MalformedRequestProblem"] | components["schemas"]["InsufficientStockProblem"] | components["schemas"]["TotalTooLargeProblem"];
            };
        };
        /** @description Conflict: `price_changed` */
        PriceChanged: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["PriceChangedProblem"];
            };
        };
        /** @description Service Unavailable: `product_service_unavailable` */
        ProductServiceUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ProductServiceUnavailableProblem"];
            };
        };
        /** @description Not Found: `order_not_found` */
        OrderNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["OrderNotFoundProblem"];
            };
        };
        /** @description Conflict: `invalid_transition` */
        InvalidTransition: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["InvalidTransitionProblem"];
            };
        };
        /** @description Bad Request: `validation_failed`, `malformed_request`, `not_cancellable` */
        ValidationFailedOrMalformedRequestOrNotCancellable: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["ValidationFailedProblem"] | components["schemas"]["MalformedRequestProblem"] | components["schemas"]["NotCancellableProblem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /**
         * @description Identifies the request in logs: the request's own `X-Request-Id` if it had one.
         * @example 5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a
         */
        "X-Request-Id": string;
        /**
         * @description Changes with the content; send it as `If-None-Match`, or as `If-Match` before a change.
         * @example "q83vAQ"
         */
        ETag: string;
        /**
         * @description Path of the created resource.
         * @example /api/orders/1
         */
        Location: string;
        /**
         * @description Requests left in the window (`r`) and seconds until it begins again (`t`).
         * @example "order-create"; r=29; t=60
         */
        RateLimit: string;
        /**
         * @description Requests (`q`) in a window of `w` seconds, counted for the client that `pk` stands for.
         * @example "order-create"; q=30; w=60; pk=:MTdmOTQwYjRkNmQx:
         */
        "RateLimit-Policy": string;
        /**
         * @description Seconds to wait before the request is sent again.
         * @example 1
         */
        "Retry-After": number;
        /**
         * @description Present when the response of an earlier request with this `Idempotency-Key` is repeated.
         * @example true
         */
        "Idempotent-Replayed": "true";
        /**
         * @description Whether a cache had the response (RFC 9211).
         * @example shop; hit
         */
        "Cache-Status": string;
        /**
         * @description File name to save the body under.
         * @example attachment; filename="products.csv"
         */
        "Content-Disposition": string;
        /** @description How to sign in. */
        "WWW-Authenticate": "Bearer";
        /**
         * @description Methods that this address takes.
         * @example GET, HEAD
         */
        Allow: string;
    };
    pathItems: never;
};
export type $defs = Record<string, never>;
export interface operations {
    getPublicKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "kty": "EC",
                     *           "crv": "P-256",
                     *           "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                     *           "y": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                     *           "kid": "2026-11",
                     *           "alg": "ES256",
                     *           "use": "sig"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description The keys, including old ones while their tokens are valid. */
                        keys: components["schemas"]["PublicKey"][];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            default: components["responses"]["Unexpected"];
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "username": "ada_lovelace",
                 *       "password": "correct horse battery"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Name or email address. Either `username` or `email` is required.
                     * @example ada_lovelace
                     */
                    username?: string | null;
                    /** @description The same as `username`. */
                    email?: string | null;
                    /**
                     * Format: password
                     * @description Password.
                     * @example correct horse battery
                     */
                    password: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Login successful",
                     *       "user": {
                     *         "id": 1,
                     *         "username": "ada_lovelace",
                     *         "email": "ada_lovelace@example.com",
                     *         "role": "customer",
                     *         "email_verified": false,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       },
                     *       "tokens": {
                     *         "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "token_type": "Bearer",
                     *         "expires_in": 3600
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Login successful
                         */
                        message: string;
                        user: components["schemas"]["User"];
                        tokens: components["schemas"]["Tokens"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["InvalidCredentials"];
            403: components["responses"]["EmailNotVerified"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Busy"];
            default: components["responses"]["Unexpected"];
        };
    };
    refreshTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description The refresh token; may be sent as the Bearer token instead.
                     * @example eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl
                     */
                    refresh_token?: string | null;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "tokens": {
                     *         "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "token_type": "Bearer",
                     *         "expires_in": 3600
                     *       }
                     *     }
                     */
                    "application/json": {
                        tokens: components["schemas"]["Tokens"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["InvalidTokenOrTokenReused"];
            403: components["responses"]["EmailNotVerified"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    logoutEverywhere: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All sessions are revoked */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    listMySessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "sessions": [
                     *         {
                     *           "id": "5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a",
                     *           "created_at": "2026-11-26T10:15:00.000Z",
                     *           "last_used_at": "2026-11-26T10:15:00.000Z",
                     *           "user_agent": "Mozilla/5.0",
                     *           "ip": "203.0.113.7",
                     *           "current": true
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description Most recently used first. */
                        sessions: components["schemas"]["Session"][];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    revokeMySession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the session.
                 * @example 5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session is revoked */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["SessionNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "current_password": "correct horse battery",
                 *       "new_password": "staple a new battery"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: password
                     * @description The password that is valid now.
                     * @example correct horse battery
                     */
                    current_password: string;
                    /**
                     * Format: password
                     * @description Any characters, at least 8; accepted as is, neither trimmed nor normalised.
                     * @example staple a new battery
                     */
                    new_password: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Password changed successfully",
                     *       "tokens": {
                     *         "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "token_type": "Bearer",
                     *         "expires_in": 3600
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Password changed successfully
                         */
                        message: string;
                        tokens: components["schemas"]["Tokens"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["WrongPassword"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Busy"];
            default: components["responses"]["Unexpected"];
        };
    };
    requestPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada_lovelace@example.com"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: idn-email
                     * @description Unique in any case and Unicode form.
                     * @example ada_lovelace@example.com
                     */
                    email: string;
                };
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "If an account has this address, an email with a link is on its way"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example If an account has this address, an email with a link is on its way
                         */
                        message: string;
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "Jt0u1zQF2cAqVb1mQm0m0WJb5uJ6C6m5c3m9c1mZr8k",
                 *       "new_password": "staple a new battery"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description The `token` of the emailed link.
                     * @example Jt0u1zQF2cAqVb1mQm0m0WJb5uJ6C6m5c3m9c1mZr8k
                     */
                    token: string;
                    /**
                     * Format: password
                     * @description Any characters, at least 8; accepted as is, neither trimmed nor normalised.
                     * @example staple a new battery
                     */
                    new_password: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Password reset successfully"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Password reset successfully
                         */
                        message: string;
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidToken"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Busy"];
            default: components["responses"]["Unexpected"];
        };
    };
    registerUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "username": "ada_lovelace",
                 *       "email": "ada_lovelace@example.com",
                 *       "password": "correct horse battery"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Letters of any script, digits, `_`, `.` and `-`. Unique in any case and Unicode form.
                     * @example ada_lovelace
                     */
                    username: string;
                    /**
                     * Format: idn-email
                     * @description Unique in any case and Unicode form.
                     * @example ada_lovelace@example.com
                     */
                    email: string;
                    /**
                     * Format: password
                     * @description Any characters, at least 8; accepted as is, neither trimmed nor normalised.
                     * @example correct horse battery
                     */
                    password: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "User registered successfully",
                     *       "user": {
                     *         "id": 1,
                     *         "username": "ada_lovelace",
                     *         "email": "ada_lovelace@example.com",
                     *         "role": "customer",
                     *         "email_verified": false,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       },
                     *       "tokens": {
                     *         "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "refresh_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
                     *         "token_type": "Bearer",
                     *         "expires_in": 3600
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example User registered successfully
                         */
                        message: string;
                        user: components["schemas"]["User"];
                        /** @description Omitted if the address must be verified before the first sign-in. */
                        tokens?: components["schemas"]["Tokens"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            409: components["responses"]["UsernameTakenOrEmailTaken"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Busy"];
            default: components["responses"]["Unexpected"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of an earlier response; while it is current, the response is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "user": {
                     *         "id": 1,
                     *         "username": "ada_lovelace",
                     *         "email": "ada_lovelace@example.com",
                     *         "role": "customer",
                     *         "email_verified": false,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        user: components["schemas"]["User"];
                    };
                };
            };
            /** @description The copy that has the `ETag` of `If-None-Match` is current */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description Number of the page, from 1. Without `page` and `cursor` it is 1. Pages end at row 10,000; use a `cursor` beyond it. */
                page?: number;
                /** @description Rows per page. */
                per_page?: number;
                /** @description Instead of `page`: the `next_cursor` of the previous page, with the same filters and sort order. Costs the same at any depth. */
                cursor?: string;
                /** @description Part of a name or an email address. */
                q?: string;
                /** @description Only users with this role. */
                role?: "customer" | "admin";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "users": [
                     *         {
                     *           "id": 1,
                     *           "username": "ada_lovelace",
                     *           "email": "ada_lovelace@example.com",
                     *           "role": "customer",
                     *           "email_verified": false,
                     *           "created_at": "2026-11-26T10:15:00.000Z",
                     *           "updated_at": "2026-11-26T10:15:00.000Z"
                     *         }
                     *       ],
                     *       "total": 1,
                     *       "page": 1,
                     *       "pages": 1,
                     *       "pages_capped": false,
                     *       "per_page": 20,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["UserPage"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "user": {
                     *         "id": 1,
                     *         "username": "ada_lovelace",
                     *         "email": "ada_lovelace@example.com",
                     *         "role": "customer",
                     *         "email_verified": false,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        user: components["schemas"]["User"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UserNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "email": "ada_lovelace@example.com",
                 *       "username": "ada_lovelace"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: idn-email
                     * @description Unique in any case and Unicode form.
                     * @example ada_lovelace@example.com
                     */
                    email?: string;
                    /**
                     * @description Letters of any script, digits, `_`, `.` and `-`. Unique in any case and Unicode form.
                     * @example ada_lovelace
                     */
                    username?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "User updated successfully",
                     *       "user": {
                     *         "id": 1,
                     *         "username": "ada_lovelace",
                     *         "email": "ada_lovelace@example.com",
                     *         "role": "customer",
                     *         "email_verified": false,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example User updated successfully
                         */
                        message: string;
                        user: components["schemas"]["User"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UserNotFound"];
            409: components["responses"]["UsernameTakenOrEmailTaken"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "User deleted successfully"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example User deleted successfully
                         */
                        message: string;
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UserNotFound"];
            409: components["responses"]["LastAdmin"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    setUserRole: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "admin"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description The role to set.
                     * @example admin
                     * @enum {string}
                     */
                    role: "customer" | "admin";
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "user": {
                     *         "id": 1,
                     *         "username": "ada_lovelace",
                     *         "email": "ada_lovelace@example.com",
                     *         "role": "customer",
                     *         "email_verified": false,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        user: components["schemas"]["User"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UserNotFound"];
            409: components["responses"]["LastAdmin"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    listUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "sessions": [
                     *         {
                     *           "id": "5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a",
                     *           "created_at": "2026-11-26T10:15:00.000Z",
                     *           "last_used_at": "2026-11-26T10:15:00.000Z",
                     *           "user_agent": "Mozilla/5.0",
                     *           "ip": "203.0.113.7",
                     *           "current": true
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description Most recently used first. */
                        sessions: components["schemas"]["Session"][];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UserNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    revokeUserSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All sessions are revoked */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["UserNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    verifyEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "Jt0u1zQF2cAqVb1mQm0m0WJb5uJ6C6m5c3m9c1mZr8k"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description The `token` of the emailed link.
                     * @example Jt0u1zQF2cAqVb1mQm0m0WJb5uJ6C6m5c3m9c1mZr8k
                     */
                    token: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Email verified successfully"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Email verified successfully
                         */
                        message: string;
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidToken"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    requestEmailVerification: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Unless your address is verified already, an email with a link is on its way"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Unless your address is verified already, an email with a link is on its way
                         */
                        message: string;
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    listAuditEvents: {
        parameters: {
            query?: {
                /** @description Number of the page, from 1. Without `page` and `cursor` it is 1. Pages end at row 10,000; use a `cursor` beyond it. */
                page?: number;
                /** @description Rows per page. */
                per_page?: number;
                /** @description Instead of `page`: the `next_cursor` of the previous page, with the same filters and sort order. Costs the same at any depth. */
                cursor?: string;
                /** @description Only events about this user. */
                user_id?: number;
                /** @description Only events of this kind. */
                event?: "registered" | "login_succeeded" | "login_failed" | "login_refused" | "login_locked" | "logout" | "logout_all" | "session_ended" | "token_reused" | "wrong_password" | "password_changed" | "password_reset_asked" | "password_reset" | "email_verified" | "email_changed" | "username_changed" | "role_changed" | "sessions_ended_by_admin" | "user_deleted";
                /** @description Not before: an ISO 8601 time with its zone, or a date (UTC). */
                from?: string;
                /** @description Not after: an ISO 8601 time with its zone, or a date, which is included as a whole (UTC). */
                to?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "id": 1,
                     *           "event": "registered",
                     *           "user_id": 1,
                     *           "actor_id": 1,
                     *           "ip": "203.0.113.7",
                     *           "user_agent": "Mozilla/5.0",
                     *           "request_id": "5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a",
                     *           "details": {},
                     *           "created_at": "2026-11-26T10:15:00.000Z"
                     *         }
                     *       ],
                     *       "total": 1,
                     *       "page": 1,
                     *       "pages": 1,
                     *       "pages_capped": false,
                     *       "per_page": 20,
                     *       "next_cursor": null,
                     *       "total_is_estimate": false
                     *     }
                     */
                    "application/json": components["schemas"]["AuditEventPage"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    listProducts: {
        parameters: {
            query?: {
                /** @description Number of the page, from 1. Without `page` and `cursor` it is 1. Pages end at row 10,000; use a `cursor` beyond it. */
                page?: number;
                /** @description Rows of a page: 20, or all with `ids`. */
                per_page?: number;
                /** @description Instead of `page`: the `next_cursor` of the previous page, with the same filters and sort order. Costs the same at any depth. */
                cursor?: string;
                /** @description Words to search for. */
                q?: string;
                /** @description Only products of this category, in any case. */
                category?: string;
                /** @description Lowest price, in major units (USD). */
                min_price?: number;
                /** @description Highest price, in major units (USD). */
                max_price?: number;
                /** @description Only products that are in stock, or only those that are not. */
                in_stock?: boolean;
                /** @description Only products of this seller. */
                owner_id?: number;
                /** @description Only these products, at most 100 ids separated by commas, in this order unless `sort` is set. */
                ids?: string;
                /** @description Order of the list: `id`, or `relevance` with `q`. With `-` in front: descending. */
                sort?: "id" | "price" | "name" | "created_at" | "-id" | "-price" | "-name" | "-created_at" | "relevance";
            };
            header?: {
                /** @description The `ETag` of an earlier response; while it is current, the response is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "products": [
                     *         {
                     *           "id": 1,
                     *           "name": "Desk lamp",
                     *           "description": "Brass, with a dimmer",
                     *           "price": 39.9,
                     *           "currency": "USD",
                     *           "stock": 50,
                     *           "category": "Lighting",
                     *           "sku": "LAMP-1",
                     *           "image_url": "/images/desk-lamp.jpg",
                     *           "owner_id": 1,
                     *           "version": 1,
                     *           "created_at": "2026-11-26T10:15:00.000Z",
                     *           "updated_at": "2026-11-26T10:15:00.000Z"
                     *         }
                     *       ],
                     *       "total": 1,
                     *       "page": 1,
                     *       "pages": 1,
                     *       "pages_capped": false,
                     *       "per_page": 20,
                     *       "next_cursor": null,
                     *       "total_is_estimate": false
                     *     }
                     */
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
            /** @description The copy that has the `ETag` of `If-None-Match` is current */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    createProduct: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Desk lamp",
                 *       "price": 1,
                 *       "description": "Brass, with a dimmer",
                 *       "category": "Lighting",
                 *       "image_url": "/images/desk-lamp.jpg",
                 *       "stock": 50
                 *     }
                 */
                "application/json": components["schemas"]["NewProduct"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Product created successfully",
                     *       "product": {
                     *         "id": 1,
                     *         "name": "Desk lamp",
                     *         "description": "Brass, with a dimmer",
                     *         "price": 39.9,
                     *         "currency": "USD",
                     *         "stock": 50,
                     *         "category": "Lighting",
                     *         "sku": "LAMP-1",
                     *         "image_url": "/images/desk-lamp.jpg",
                     *         "owner_id": 1,
                     *         "version": 1,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Product created successfully
                         */
                        message: string;
                        product: components["schemas"]["Product"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["SkuTaken"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["ProductBusy"];
            default: components["responses"]["Unexpected"];
        };
    };
    listCategories: {
        parameters: {
            query?: {
                /** @description Whether to add the number of products of each category. */
                counts?: boolean;
            };
            header?: {
                /** @description The `ETag` of an earlier response; while it is current, the response is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "categories": [
                     *         "Audio",
                     *         "Lighting"
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Categories"];
                };
            };
            /** @description The copy that has the `ETag` of `If-None-Match` is current */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    getProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of an earlier response; while it is current, the response is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "product": {
                     *         "id": 1,
                     *         "name": "Desk lamp",
                     *         "description": "Brass, with a dimmer",
                     *         "price": 39.9,
                     *         "currency": "USD",
                     *         "stock": 50,
                     *         "category": "Lighting",
                     *         "sku": "LAMP-1",
                     *         "image_url": "/images/desk-lamp.jpg",
                     *         "owner_id": 1,
                     *         "version": 1,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        product: components["schemas"]["Product"];
                    };
                };
            };
            /** @description The copy that has the `ETag` of `If-None-Match` is current */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            404: components["responses"]["ProductNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    replaceProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of the product as it was read. If it is stale, the change is refused with 412. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Desk lamp",
                 *       "price": 1,
                 *       "description": "Brass, with a dimmer",
                 *       "category": "Lighting",
                 *       "stock": 50
                 *     }
                 */
                "application/json": components["schemas"]["ProductReplacement"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Product updated successfully",
                     *       "product": {
                     *         "id": 1,
                     *         "name": "Desk lamp",
                     *         "description": "Brass, with a dimmer",
                     *         "price": 39.9,
                     *         "currency": "USD",
                     *         "stock": 50,
                     *         "category": "Lighting",
                     *         "sku": "LAMP-1",
                     *         "image_url": "/images/desk-lamp.jpg",
                     *         "owner_id": 1,
                     *         "version": 1,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Product updated successfully
                         */
                        message: string;
                        product: components["schemas"]["Product"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            409: components["responses"]["SkuTaken"];
            412: components["responses"]["VersionMismatch"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["ProductBusy"];
            default: components["responses"]["Unexpected"];
        };
    };
    deleteProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of the product as it was read. If it is stale, the change is refused with 412. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Product deleted successfully"
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Product deleted successfully
                         */
                        message: string;
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            412: components["responses"]["VersionMismatch"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["ProductBusy"];
            default: components["responses"]["Unexpected"];
        };
    };
    updateProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of the product as it was read. If it is stale, the change is refused with 412. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "description": "Brass, with a dimmer",
                 *       "category": "Lighting",
                 *       "stock": 50,
                 *       "name": "Desk lamp"
                 *     }
                 */
                "application/json": components["schemas"]["ProductUpdate"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Product updated successfully",
                     *       "product": {
                     *         "id": 1,
                     *         "name": "Desk lamp",
                     *         "description": "Brass, with a dimmer",
                     *         "price": 39.9,
                     *         "currency": "USD",
                     *         "stock": 50,
                     *         "category": "Lighting",
                     *         "sku": "LAMP-1",
                     *         "image_url": "/images/desk-lamp.jpg",
                     *         "owner_id": 1,
                     *         "version": 1,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Product updated successfully
                         */
                        message: string;
                        product: components["schemas"]["Product"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            409: components["responses"]["SkuTaken"];
            412: components["responses"]["VersionMismatch"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["ProductBusy"];
            default: components["responses"]["Unexpected"];
        };
    };
    importProducts: {
        parameters: {
            query?: {
                /** @description Checks the file and counts, but writes nothing. */
                dry_run?: boolean;
                /** @description With `set`, the stock of existing products is set too. Otherwise they keep theirs, so that an older file does not bring sold units back. */
                stock?: "set";
                /** @description With `ignore`, unknown fields are ignored. Otherwise their rows fail. */
                unknown?: "ignore";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example sku,name,price,stock
                 *     LAMP-1,Desk lamp,39.90,50
                 */
                "text/csv": string;
                /**
                 * @example sku,name,price,stock
                 *     LAMP-1,Desk lamp,39.90,50
                 */
                "application/vnd.ms-excel": string;
                /** @example {"sku":"LAMP-1","name":"Desk lamp","price":39.9,"stock":50} */
                "application/x-ndjson": string;
                /**
                 * @example {
                 *       "file": "sku,name,price,stock\r\nLAMP-1,Desk lamp,39.90,50\r\n"
                 *     }
                 */
                "multipart/form-data": {
                    /** @description The file: CSV or NDJSON. */
                    file: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "created": 1,
                     *       "updated": 1,
                     *       "unchanged": 0,
                     *       "failed": 0,
                     *       "stock_kept": 0,
                     *       "errors": [],
                     *       "errors_truncated": false
                     *     }
                     */
                    "application/json": components["schemas"]["ImportResult"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrUnreadableFileOrTooManyFailures"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["ImportRunning"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Unexpected"];
        };
    };
    exportProducts: {
        parameters: {
            query?: {
                /** @description Words to search for. */
                q?: string;
                /** @description Only products of this category, in any case. */
                category?: string;
                /** @description Lowest price, in major units (USD). */
                min_price?: number;
                /** @description Highest price, in major units (USD). */
                max_price?: number;
                /** @description Only products that are in stock, or only those that are not. */
                in_stock?: boolean;
                /** @description Only products of this seller; of another one for admins only. */
                owner_id?: number;
                /** @description Only these products, at most 100 ids separated by commas. */
                ids?: string;
                /** @description Format of the file. */
                format?: "csv" | "ndjson";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Content-Disposition": components["headers"]["Content-Disposition"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example sku,name,price,stock
                     *     LAMP-1,Desk lamp,39.90,50
                     */
                    "text/csv": string;
                    /** @example {"sku":"LAMP-1","name":"Desk lamp","price":39.9,"stock":50} */
                    "application/x-ndjson": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    adjustStock: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of the product as it was read. If it is stale, the change is refused with 412. */
                "If-Match"?: string;
            };
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "quantity": 10,
                 *       "reason": "delivery"
                 *     }
                 */
                "application/json": components["schemas"]["StockAdjustment"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Stock updated successfully",
                     *       "product": {
                     *         "id": 1,
                     *         "name": "Desk lamp",
                     *         "description": "Brass, with a dimmer",
                     *         "price": 39.9,
                     *         "currency": "USD",
                     *         "stock": 50,
                     *         "category": "Lighting",
                     *         "sku": "LAMP-1",
                     *         "image_url": "/images/desk-lamp.jpg",
                     *         "owner_id": 1,
                     *         "version": 1,
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Stock updated successfully
                         */
                        message: string;
                        product: components["schemas"]["Product"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInsufficientStockOrStockLimitExceeded"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            412: components["responses"]["VersionMismatch"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["ProductBusy"];
            default: components["responses"]["Unexpected"];
        };
    };
    listStockMovements: {
        parameters: {
            query?: {
                /** @description Number of the page, from 1. Without `page` and `cursor` it is 1. Pages end at row 10,000; use a `cursor` beyond it. */
                page?: number;
                /** @description Rows per page. */
                per_page?: number;
                /** @description Instead of `page`: the `next_cursor` of the previous page, with the same filters and sort order. Costs the same at any depth. */
                cursor?: string;
            };
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "movements": [
                     *         {
                     *           "id": 1,
                     *           "delta": 10,
                     *           "reason": "delivery",
                     *           "actor": "user:1",
                     *           "reference": null,
                     *           "stock_after": 50,
                     *           "created_at": "2026-11-26T10:15:00.000Z"
                     *         }
                     *       ],
                     *       "total": 1,
                     *       "page": 1,
                     *       "pages": 1,
                     *       "pages_capped": false,
                     *       "per_page": 20,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["StockMovementPage"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    listOrders: {
        parameters: {
            query?: {
                /** @description Number of the page, from 1. Without `page` and `cursor` it is 1. Pages end at row 10,000; use a `cursor` beyond it. */
                page?: number;
                /** @description Rows per page. */
                per_page?: number;
                /** @description Instead of `page`: the `next_cursor` of the previous page, with the same filters and sort order. Costs the same at any depth. */
                cursor?: string;
                /** @description Only orders with this status. */
                status?: "pending" | "processing" | "shipped" | "delivered" | "cancelled";
                /** @description Not before: an ISO 8601 time with its zone, or a date (UTC). */
                from?: string;
                /** @description Not after: an ISO 8601 time with its zone, or a date, which is included as a whole (UTC). */
                to?: string;
                /** @description Only orders of this buyer. For admins, with `scope=all`. */
                user_id?: number;
                /** @description `own`: the caller's orders. `selling`: orders with products sold by the caller. `all`: every order, for admins. */
                scope?: "own" | "selling" | "all";
            };
            header?: {
                /** @description The `ETag` of an earlier response; while it is current, the response is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "orders": [
                     *         {
                     *           "id": 1,
                     *           "user_id": 1,
                     *           "products": [
                     *             {
                     *               "product_id": 1,
                     *               "name": "Desk lamp",
                     *               "price": 39.9,
                     *               "quantity": 1,
                     *               "subtotal": 39.9
                     *             }
                     *           ],
                     *           "total_amount": 39.9,
                     *           "currency": "USD",
                     *           "status": "pending",
                     *           "allowed_transitions": [
                     *             "cancelled"
                     *           ],
                     *           "shipping_address": {
                     *             "name": "Ada Lovelace",
                     *             "line1": "12 St James Square",
                     *             "city": "London",
                     *             "postal_code": "SW1Y 4JH",
                     *             "country": "GB"
                     *           },
                     *           "note": "Leave it at the door",
                     *           "created_at": "2026-11-26T10:15:00.000Z",
                     *           "updated_at": "2026-11-26T10:15:00.000Z"
                     *         }
                     *       ],
                     *       "total": 1,
                     *       "page": 1,
                     *       "pages": 1,
                     *       "pages_capped": false,
                     *       "per_page": 20,
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["OrderPage"];
                };
            };
            /** @description The copy that has the `ETag` of `If-None-Match` is current */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    placeOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes retries safe: 1 to 255 visible ASCII characters without spaces, such as a UUID, generated once for each basket. See the description. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "products": [
                 *         {
                 *           "product_id": 1,
                 *           "quantity": 1
                 *         }
                 *       ],
                 *       "shipping_address": {
                 *         "name": "Ada Lovelace",
                 *         "line1": "12 St James Square",
                 *         "line2": "Floor 2",
                 *         "city": "London",
                 *         "region": "England",
                 *         "postal_code": "SW1Y 4JH",
                 *         "country": "GB",
                 *         "phone": "+44 20 7946 0000"
                 *       },
                 *       "note": "Leave it at the door"
                 *     }
                 */
                "application/json": components["schemas"]["OrderRequest"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    Location: components["headers"]["Location"];
                    "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Order created successfully",
                     *       "order": {
                     *         "id": 1,
                     *         "user_id": 1,
                     *         "products": [
                     *           {
                     *             "product_id": 1,
                     *             "name": "Desk lamp",
                     *             "price": 39.9,
                     *             "quantity": 1,
                     *             "subtotal": 39.9
                     *           }
                     *         ],
                     *         "total_amount": 39.9,
                     *         "currency": "USD",
                     *         "status": "pending",
                     *         "allowed_transitions": [
                     *           "cancelled"
                     *         ],
                     *         "shipping_address": {
                     *           "name": "Ada Lovelace",
                     *           "line1": "12 St James Square",
                     *           "city": "London",
                     *           "postal_code": "SW1Y 4JH",
                     *           "country": "GB"
                     *         },
                     *         "note": "Leave it at the door",
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Order created successfully
                         */
                        message: string;
                        order: components["schemas"]["Order"];
                    };
                };
            };
            400: components["responses"]["PlaceOrder400"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["PlaceOrder404"];
            409: components["responses"]["PlaceOrder409"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyMismatch"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["ProductServiceUnavailableOrProductBusy"];
            default: components["responses"]["Unexpected"];
        };
    };
    quoteOrder: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "products": [
                 *         {
                 *           "product_id": 1,
                 *           "quantity": 1
                 *         }
                 *       ],
                 *       "shipping_address": {
                 *         "name": "Ada Lovelace",
                 *         "line1": "12 St James Square",
                 *         "line2": "Floor 2",
                 *         "city": "London",
                 *         "region": "England",
                 *         "postal_code": "SW1Y 4JH",
                 *         "country": "GB",
                 *         "phone": "+44 20 7946 0000"
                 *       },
                 *       "note": "Leave it at the door"
                 *     }
                 */
                "application/json": components["schemas"]["OrderRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "products": [
                     *         {
                     *           "product_id": 1,
                     *           "name": "Desk lamp",
                     *           "price": 39.9,
                     *           "quantity": 1,
                     *           "subtotal": 39.9
                     *         }
                     *       ],
                     *       "total_amount": 39.9,
                     *       "currency": "USD"
                     *     }
                     */
                    "application/json": components["schemas"]["Quote"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInsufficientStockOrTotalTooLarge"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["ProductNotFound"];
            409: components["responses"]["PriceChanged"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            503: components["responses"]["ProductServiceUnavailable"];
            default: components["responses"]["Unexpected"];
        };
    };
    getOrderStats: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of an earlier response; while it is current, the response is 304 without a body. */
                "If-None-Match"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "total_orders": 3,
                     *       "total_spent": 79.8,
                     *       "pending_orders": 1,
                     *       "completed_orders": 1,
                     *       "cancelled_orders": 1,
                     *       "currency": "USD"
                     *     }
                     */
                    "application/json": components["schemas"]["OrderStats"];
                };
            };
            /** @description The copy that has the `ETag` of `If-None-Match` is current */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    getOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of an earlier response; while it is current, the response is 304 without a body. */
                "If-None-Match"?: string;
            };
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "order": {
                     *         "id": 1,
                     *         "user_id": 1,
                     *         "products": [
                     *           {
                     *             "product_id": 1,
                     *             "name": "Desk lamp",
                     *             "price": 39.9,
                     *             "quantity": 1,
                     *             "subtotal": 39.9
                     *           }
                     *         ],
                     *         "total_amount": 39.9,
                     *         "currency": "USD",
                     *         "status": "pending",
                     *         "allowed_transitions": [
                     *           "cancelled"
                     *         ],
                     *         "shipping_address": {
                     *           "name": "Ada Lovelace",
                     *           "line1": "12 St James Square",
                     *           "city": "London",
                     *           "postal_code": "SW1Y 4JH",
                     *           "country": "GB"
                     *         },
                     *         "note": "Leave it at the door",
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        order: components["schemas"]["Order"];
                    };
                };
            };
            /** @description The copy that has the `ETag` of `If-None-Match` is current */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    "Cache-Status": components["headers"]["Cache-Status"];
                    ETag: components["headers"]["ETag"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["OrderNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Order cancelled successfully",
                     *       "order": {
                     *         "id": 1,
                     *         "user_id": 1,
                     *         "products": [
                     *           {
                     *             "product_id": 1,
                     *             "name": "Desk lamp",
                     *             "price": 39.9,
                     *             "quantity": 1,
                     *             "subtotal": 39.9
                     *           }
                     *         ],
                     *         "total_amount": 39.9,
                     *         "currency": "USD",
                     *         "status": "pending",
                     *         "allowed_transitions": [
                     *           "cancelled"
                     *         ],
                     *         "shipping_address": {
                     *           "name": "Ada Lovelace",
                     *           "line1": "12 St James Square",
                     *           "city": "London",
                     *           "postal_code": "SW1Y 4JH",
                     *           "country": "GB"
                     *         },
                     *         "note": "Leave it at the door",
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Order cancelled successfully
                         */
                        message: string;
                        order: components["schemas"]["Order"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrNotCancellable"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["OrderNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    getOrderHistory: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "history": [
                     *         {
                     *           "from": null,
                     *           "to": "pending",
                     *           "actor": "user:1",
                     *           "at": "2026-11-26T10:15:00.000Z"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @description Oldest first. */
                        history: components["schemas"]["StatusChange"][];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            404: components["responses"]["OrderNotFound"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
    setOrderStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id.
                 * @example 1
                 */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "status": "processing"
                 *     }
                 */
                "application/json": components["schemas"]["OrderStatusChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Order status updated successfully",
                     *       "order": {
                     *         "id": 1,
                     *         "user_id": 1,
                     *         "products": [
                     *           {
                     *             "product_id": 1,
                     *             "name": "Desk lamp",
                     *             "price": 39.9,
                     *             "quantity": 1,
                     *             "subtotal": 39.9
                     *           }
                     *         ],
                     *         "total_amount": 39.9,
                     *         "currency": "USD",
                     *         "status": "pending",
                     *         "allowed_transitions": [
                     *           "cancelled"
                     *         ],
                     *         "shipping_address": {
                     *           "name": "Ada Lovelace",
                     *           "line1": "12 St James Square",
                     *           "city": "London",
                     *           "postal_code": "SW1Y 4JH",
                     *           "country": "GB"
                     *         },
                     *         "note": "Leave it at the door",
                     *         "created_at": "2026-11-26T10:15:00.000Z",
                     *         "updated_at": "2026-11-26T10:15:00.000Z"
                     *       }
                     *     }
                     */
                    "application/json": {
                        /**
                         * @description What was done, for people.
                         * @example Order status updated successfully
                         */
                        message: string;
                        order: components["schemas"]["Order"];
                    };
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["OrderNotFound"];
            409: components["responses"]["InvalidTransition"];
            413: components["responses"]["BodyTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            default: components["responses"]["Unexpected"];
        };
    };
}
export type Problem = components['schemas']['Problem'];
export type PublicKey = components['schemas']['PublicKey'];
export type FieldIssue = components['schemas']['FieldIssue'];
export type ValidationFailedProblem = components['schemas']['ValidationFailedProblem'];
export type MalformedRequestProblem = components['schemas']['MalformedRequestProblem'];
export type User = components['schemas']['User'];
export type Tokens = components['schemas']['Tokens'];
export type BodyTooLargeProblem = components['schemas']['BodyTooLargeProblem'];
export type UnsupportedMediaTypeProblem = components['schemas']['UnsupportedMediaTypeProblem'];
export type RateLimitedProblem = components['schemas']['RateLimitedProblem'];
export type InvalidCredentialsProblem = components['schemas']['InvalidCredentialsProblem'];
export type EmailNotVerifiedProblem = components['schemas']['EmailNotVerifiedProblem'];
export type BusyProblem = components['schemas']['BusyProblem'];
export type InvalidTokenProblem = components['schemas']['InvalidTokenProblem'];
export type TokenReusedProblem = components['schemas']['TokenReusedProblem'];
export type UnauthenticatedProblem = components['schemas']['UnauthenticatedProblem'];
export type Session = components['schemas']['Session'];
export type SessionNotFoundProblem = components['schemas']['SessionNotFoundProblem'];
export type WrongPasswordProblem = components['schemas']['WrongPasswordProblem'];
export type UsernameTakenProblem = components['schemas']['UsernameTakenProblem'];
export type EmailTakenProblem = components['schemas']['EmailTakenProblem'];
export type UserPage = components['schemas']['UserPage'];
export type ForbiddenProblem = components['schemas']['ForbiddenProblem'];
export type UserNotFoundProblem = components['schemas']['UserNotFoundProblem'];
export type LastAdminProblem = components['schemas']['LastAdminProblem'];
export type AuditEventPage = components['schemas']['AuditEventPage'];
export type AuditEvent = components['schemas']['AuditEvent'];
export type NewProduct = components['schemas']['NewProduct'];
export type Product = components['schemas']['Product'];
export type SkuTakenProblem = components['schemas']['SkuTakenProblem'];
export type ProductBusyProblem = components['schemas']['ProductBusyProblem'];
export type ProductPage = components['schemas']['ProductPage'];
export type Categories = components['schemas']['Categories'];
export type ProductNotFoundProblem = components['schemas']['ProductNotFoundProblem'];
export type ProductReplacement = components['schemas']['ProductReplacement'];
export type VersionMismatchProblem = components['schemas']['VersionMismatchProblem'];
export type ProductUpdate = components['schemas']['ProductUpdate'];
export type RefusedRow = components['schemas']['RefusedRow'];
export type ImportResult = components['schemas']['ImportResult'];
export type UnreadableFileProblem = components['schemas']['UnreadableFileProblem'];
export type TooManyFailuresProblem = components['schemas']['TooManyFailuresProblem'];
export type ImportRunningProblem = components['schemas']['ImportRunningProblem'];
export type UnavailableProblem = components['schemas']['UnavailableProblem'];
export type StockAdjustment = components['schemas']['StockAdjustment'];
export type ShortLine = components['schemas']['ShortLine'];
export type InsufficientStockProblem = components['schemas']['InsufficientStockProblem'];
export type StockLimitExceededProblem = components['schemas']['StockLimitExceededProblem'];
export type StockMovementPage = components['schemas']['StockMovementPage'];
export type StockMovement = components['schemas']['StockMovement'];
export type OrderRequest = components['schemas']['OrderRequest'];
export type BasketLine = components['schemas']['BasketLine'];
export type ShippingAddress = components['schemas']['ShippingAddress'];
export type Order = components['schemas']['Order'];
export type OrderLine = components['schemas']['OrderLine'];
export type StoredAddress = components['schemas']['StoredAddress'];
export type TotalTooLargeProblem = components['schemas']['TotalTooLargeProblem'];
export type Quote = components['schemas']['Quote'];
export type PriceChangedProblem = components['schemas']['PriceChangedProblem'];
export type IdempotencyInFlightProblem = components['schemas']['IdempotencyInFlightProblem'];
export type IdempotencyMismatchProblem = components['schemas']['IdempotencyMismatchProblem'];
export type ProductServiceUnavailableProblem = components['schemas']['ProductServiceUnavailableProblem'];
export type OrderPage = components['schemas']['OrderPage'];
export type OrderStats = components['schemas']['OrderStats'];
export type OrderNotFoundProblem = components['schemas']['OrderNotFoundProblem'];
export type StatusChange = components['schemas']['StatusChange'];
export type OrderStatusChange = components['schemas']['OrderStatusChange'];
export type InvalidTransitionProblem = components['schemas']['InvalidTransitionProblem'];
export type NotCancellableProblem = components['schemas']['NotCancellableProblem'];
