/**
 * Which time zone moments are shown in: one for all of a page, whether the server or the browser writes them. Who serves a
 * request, and the browser, say which.
 */
import { locale } from "./locale.ts";

/** How an account chooses: the zone of the host, of the browser, or an IANA name. */
export const ZONE_CHOICES = ["browser", "host"] as const;

/** The cookie in which a browser tells its zone. */
export const ZONE_COOKIE = "zone";

/** The zone of this process. */
const ownZone = (): string => new Intl.DateTimeFormat("en").resolvedOptions().timeZone;

let current: () => string | undefined = () => undefined;

/** The zone of what is done now: an IANA name. */
export function zone(): string {
  return current() ?? ownZone();
}

/** Says where the zone comes from. Called once by what starts the program; tests set it for a while. */
export function useZone(source: () => string | undefined): Disposable {
  const before = current;
  current = source;
  return { [Symbol.dispose]: () => void (current = before) };
}

/** Whether a text from outside is the name of a zone. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/**
 * The zone of a page.
 *
 * @param choice of the account: {@link ZONE_CHOICES} or a zone; undefined: it has not chosen
 * @param told the browser's, by its cookie
 */
export function pageZone(choice: string | undefined, told: string | undefined): string {
  if (choice === "host") return ownZone();
  if (choice !== undefined && choice !== "browser" && isZone(choice)) return choice;
  return told !== undefined && isZone(told) ? told : ownZone();
}

/**
 * The moment at which the clocks of the page's zone show a date, or a date and a time; a time that is left out by them in
 * spring is the one after it. @returns milliseconds since 1970; undefined for what is no date
 */
export function momentIn(text: string): number | undefined {
  try {
    const local = Temporal.PlainDateTime.from(text, { overflow: "reject" });
    return local.toZonedDateTime(zone()).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A format that is costly to make, made once for each language and zone. */
export function perZone(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  const made = new Map<string, Intl.DateTimeFormat>();
  return () => {
    const timeZone = zone(), language = locale(), key = `${language} ${timeZone}`;
    const found = made.get(key) ?? new Intl.DateTimeFormat(language, { ...options, timeZone });
    made.set(key, found);
    return found;
  };
}
