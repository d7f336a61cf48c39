/** Characters that frames are drawn with: those of Unicode where the terminal has them, else ASCII. */

/** One set. */
export interface Glyphs {
  /** Whether other characters than ASCII can be shown. */
  readonly unicode: boolean;
  readonly rule: string;
  readonly marker: string;
  readonly on: string;
  readonly off: string;
  readonly half: string;
  readonly bad: string;
  readonly cut: string;
  readonly filled: string;
  readonly empty: string;
  readonly secret: string;
  /** Stands for what must not be shown. */
  readonly unshown: string;
}

export const UNICODE: Glyphs = {
  unicode: true,
  rule: "─",
  marker: "▶",
  on: "●",
  off: "○",
  half: "◐",
  bad: "✖",
  cut: "…",
  filled: "█",
  empty: "░",
  secret: "•",
  unshown: "\u2426",
};

export const ASCII: Glyphs = {
  unicode: false,
  rule: "-",
  marker: ">",
  on: "*",
  off: ".",
  half: "~",
  bad: "!",
  cut: "~",
  filled: "#",
  empty: ".",
  secret: "*",
  unshown: "?",
};

/** The set for a locale, as POSIX finds the one for characters: LC_ALL, then LC_CTYPE, then LANG. Pure. */
export function glyphsFor(env: (name: string) => string | undefined): Glyphs {
  const locale = env("LC_ALL") || env("LC_CTYPE") || env("LANG") || "C";
  return /\.utf-?8(?:@|$)/i.test(locale) ? UNICODE : ASCII;
}
