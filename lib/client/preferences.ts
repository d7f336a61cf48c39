/** Preferences of a user, kept in cookies, so that the server renders the first paint the right way. */
import type { Theme } from "../page_state.ts";

/** The cookie in which a browser tells its time zone. */
export const ZONE_COOKIE = "zone";
/** The cookie in which a browser keeps the language that was chosen. */
export const LANGUAGE_COOKIE = "lang";
/** Attributes that make a cookie a preference: a year, this site only. Not secret, so scripts may write it. */
export const PREFERENCE = "Path=/; Max-Age=31536000; SameSite=Lax";
/** The same of a preference that is given up. */
export const EXPIRED_PREFERENCE = "Path=/; Max-Age=0; SameSite=Lax";

/** The value of a cookie in a `Cookie` header. */
export function cookieOf(header: string | null, name: string): string | undefined {
  for (const part of (header ?? "").split(";")) {
    const [key = "", value = ""] = part.split("=", 2);
    if (key.trim() === name) return value.trim();
  }
  return undefined;
}

/** Tells the server the browser's time zone: the next page is in it, where the account has chosen no other. */
export function tellZone(): void {
  const { timeZone } = new Intl.DateTimeFormat("en").resolvedOptions();
  document.cookie = `${ZONE_COOKIE}=${timeZone}; ${PREFERENCE}`;
}

/** Keeps a preference, from the browser. */
export function keep(name: "theme" | "sidebar" | "notifications", value: string): void {
  document.cookie = `${name}=${value}; ${PREFERENCE}`;
}

/**
 * The media query under which the colour of a scheme counts for the browser's own bars.
 *
 * @param chosen the theme that a person has chosen
 */
export function themeColourMedia(chosen: Theme, scheme: string): string {
  if (chosen === "system") return `(prefers-color-scheme: ${scheme})`;
  return chosen === scheme ? "all" : "not all";
}

/** Switches the theme, and keeps it. */
export function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  // Each is for one colour scheme: `routes/_app.tsx` draws them by the same rule
  for (const meta of document.querySelectorAll<HTMLMetaElement>("meta[data-scheme]")) {
    meta.media = themeColourMedia(theme, meta.dataset.scheme!);
  }
  keep("theme", theme);
}
