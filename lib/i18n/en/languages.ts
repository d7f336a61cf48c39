/** The choice of a language. */
export const languages = {
  "languages.label": "Language",
  "languages.browser": "Language of the browser",
} as const;
