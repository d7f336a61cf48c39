/** Statuses that say what went wrong (RFC 9110 and those registered with IANA in addition); the same as Fresh's type. */
export type ErrorStatus =
  | (
    | 400
    | 401
    | 402
    | 403
    | 404
    | 405
    | 406
    | 407
    | 408
    | 409
    | 410
    | 411
    | 412
    | 413
    | 414
    | 415
    | 416
    | 417
  )
  | (418 | 421 | 422 | 423 | 424 | 425 | 426 | 428 | 429 | 431 | 451)
  | (500 | 501 | 502 | 503 | 504 | 505 | 506 | 507 | 508 | 510 | 511);

/** An error with an HTTP status, for routes and middlewares to throw. */
export class HttpError extends Error {
  override readonly name = "HttpError";

  /**
   * @param message What the person is told; the error page shows it, so it holds no secrets.
   */
  constructor(readonly status: ErrorStatus, message?: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The status an error is answered with: its own, or 500 for an unexpected one. */
export function errorStatus(error: unknown): ErrorStatus {
  return error instanceof HttpError ? error.status : 500;
}
