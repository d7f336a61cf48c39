/** Clients that hang up in the middle of a form: nothing is drawn for them, and nothing logged. */

/** The client went away before its request was whole. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/** Whether an error is, or comes of, a client that went away. */
export function isClientGone(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof ClientGone) return true;
  }
  return false;
}

/** Waits for what is read of a request's body. @throws {ClientGone} and what `reading` fails with */
export async function unlessClientGone<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    // As node reports a request that broke off
    if ((error as { code?: unknown }).code !== "ECONNRESET") throw error;
    throw new ClientGone("the client went away", { cause: error });
  }
}
