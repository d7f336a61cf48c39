/** The colour that a browser gives its own bars around a page: the top bar's, which is `--surface` of tokens.css. */
export const THEME_COLOURS = { light: "#ffffff", dark: "#141820" } as const;
