/** Why another host was not asked, or did not answer. Whoever asked says it in words of its own. */

/** A text that is no address, or one with something in it that an address must not have. */
export class UrlRefused extends Error {
  override readonly name = "UrlRefused";

  /** @param url fit to be shown */
  constructor(readonly url: string, readonly reason: string) {
    super(reason);
  }
}

/** A host that the rules do not let be asked. */
export class HostRefused extends Error {
  override readonly name = "HostRefused";

  constructor(readonly host: string, readonly reason: string) {
    super(reason);
  }
}

/** An address to which nothing is sent, whatever is allowed: where clouds keep the keys of their VMs. */
export class LinkLocalRefused extends Error {
  override readonly name = "LinkLocalRefused";
}

/** One address led to the next for too long. */
export class TooManyRedirects extends Error {
  override readonly name = "TooManyRedirects";

  /** @param url the first of them, fit to be shown */
  constructor(readonly url: string, hops: number) {
    super(`it redirects more than ${hops} times`);
  }
}

/** A connection could not be made, or ended before its time: another try may do better. */
export class BrokenOff extends Error {
  override readonly name = "BrokenOff";
}

/** Why nothing is sent to what an administrator set up, with what to do about it; undefined where that is not the cause. */
export function outboundRefusal(error: unknown): string | undefined {
  if (error instanceof HostRefused) {
    return `${error.reason}. Allow private addresses for this target, or use another`;
  }
  return error instanceof UrlRefused || error instanceof LinkLocalRefused ? error.message : undefined;
}
