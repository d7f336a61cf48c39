/** Readable names of browsers, from their User-Agent: "Firefox on Windows". Pure. */

/** The first that fits: most browsers claim to be others, too. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\/|\bEdgiOS\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChromium\/|\bHeadlessChrome\//, "Chromium"],
  [/\bChrome\/|\bCriOS\//, "Chrome"],
  [/\bVersion\/.*\bSafari\//, "Safari"],
  [/^curl\//, "curl"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, "Android"],
  [/\b(?:iPhone|iPad|iPod)\b/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bFreeBSD\b/, "FreeBSD"],
  [/\bLinux\b|\bX11\b/, "Linux"],
];

const nameIn = (names: typeof BROWSERS, text: string) => names.find(([fits]) => fits.test(text))?.[1];

/** The browser and the system it runs on, as far as they are known; undefined for a browser that is not. */
export function browserName(client: string): { browser: string; system?: string } | undefined {
  const browser = nameIn(BROWSERS, client), system = nameIn(SYSTEMS, client);
  if (browser === undefined) return undefined;
  return { browser, ...(system !== undefined && { system }) };
}
