/** An error with an HTTP status, for routes and middlewares to throw. */
export class HttpError extends Error {
  override readonly name = "HttpError";

  /**
   * @param status HTTP status (RFC 9110), 400 to 599.
   * @param message What the person is told; the error page shows it, so it holds no secrets.
   */
  constructor(readonly status: number, message?: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The status an error is answered with: its own, or 500 for what nobody foresaw. */
export function statusOf(error: unknown): number {
  return error instanceof HttpError ? error.status : 500;
}
