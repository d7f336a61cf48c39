/** The nonce of a page's scripts: the renderer puts it on the response, and the content security policy names it. */

/** Key that Fresh keeps the nonce under. A header would be visible in the browser, and in copied responses. */
const NONCE = Symbol.for("__freshNonce");

/** Keeps the nonce with the page's response. */
export function setNonce(response: Response, nonce: string): void {
  Object.assign(response, { [NONCE]: nonce });
}

/** The nonce of a page, 32 hexadecimal digits; undefined for every other response. */
export function nonceOf(response: Response): string | undefined {
  const nonce: unknown = Reflect.get(response, NONCE);
  return typeof nonce === "string" && /^[0-9a-f]{32}$/.test(nonce) ? nonce : undefined;
}
