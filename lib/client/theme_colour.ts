/** The colour that a browser gives its own bars around a page: the top bar's, which is `--surface` of tokens.css. */
import type { Theme } from "../page_state.ts";

/** Colour scheme → colour. */
export const THEME_COLOURS = { light: "#ffffff", dark: "#141820" } as const;

type Scheme = keyof typeof THEME_COLOURS;

/** The colour schemes, in the order of their `<meta>` elements. */
export const SCHEMES = Object.keys(THEME_COLOURS) as Scheme[];

/** The media query under which the colour of a scheme counts, for the theme that a person has chosen. */
export function themeColourMedia(chosen: Theme, scheme: Scheme): string {
  if (chosen === "system") return `(prefers-color-scheme: ${scheme})`;
  return chosen === scheme ? "all" : "not all";
}

/** Tells the browser the colours of another theme. */
export function showThemeColour(chosen: Theme): void {
  for (const scheme of SCHEMES) {
    const meta = document.querySelector<HTMLMetaElement>(`meta[name="theme-color"][data-scheme="${scheme}"]`);
    if (meta !== null) meta.media = themeColourMedia(chosen, scheme);
  }
}
