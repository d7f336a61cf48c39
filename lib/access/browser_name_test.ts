import assert from "node:assert/strict";
import { browserName } from "./browser_name.ts";

Deno.test("browserName() knows browsers that claim to be others", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  const cases: [string, string, string?][] = [
    ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox", "Linux"],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/126.0 Safari/537.36 Edg/126.0`,
      "Edge",
      "Windows",
    ],
    [`Mozilla/5.0 (Linux; Android 14) ${webkit} Chrome/126.0 Mobile Safari/537.36`, "Chrome", "Android"],
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/150.0 Safari/537.36`, "Chromium", "Linux"],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
      "Safari",
      "macOS",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 Version/17.5 Mobile/15E148 Safari/604.1",
      "Safari",
      "iOS",
    ],
    ["curl/8.5.0", "curl"],
  ];
  for (const [client, browser, system] of cases) {
    assert.deepEqual(browserName(client), { browser, ...(system !== undefined && { system }) }, client);
  }
  assert.equal(browserName("something else"), undefined);
  assert.equal(browserName(""), undefined);
});
