/** What a person prefers, kept in cookies, so that the server renders the first paint the right way. */

/** Attributes that make a cookie a preference: a year, this site only. Not secret, so scripts may write it. */
export const PREFERENCE = "Path=/; Max-Age=31536000; SameSite=Lax";

/** The value of a cookie in a `Cookie` header. */
export function cookieOf(header: string | null, name: string): string | undefined {
  for (const part of (header ?? "").split(";")) {
    const [key = "", value = ""] = part.split("=", 2);
    if (key.trim() === name) return value.trim();
  }
  return undefined;
}

/** Keeps a preference, from the browser. */
export function keep(name: "theme" | "sidebar", value: string): void {
  document.cookie = `${name}=${value}; ${PREFERENCE}`;
}

/** Switches the theme, and keeps it. */
export function setTheme(theme: string): void {
  document.documentElement.dataset.theme = theme;
  keep("theme", theme);
}
