/** Time zones from outside: what an account chooses, what a browser tells, and moments that are typed. */
import { ownZone, zone } from "./locale.ts";

/** How an account chooses: the zone of the host, of the browser, or an IANA name. */
export const ZONE_CHOICES = ["browser", "host"] as const;

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
