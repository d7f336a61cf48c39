/** One time zone for all of a page: the browser's, told by a cookie, or the one that the account chose; with and without script. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { asRoot, signedIn } from "../testbed/people.ts";
import { call } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const HOUR_MS = 3_600_000;
/** The next 23:30 UTC that is days ahead: another day in Tokyo. */
const AT = (Math.floor(Date.now() / (24 * HOUR_MS)) + 3) * 24 * HOUR_MS - HOUR_MS / 2;
const shownIn = (timeZone: string) =>
  new Intl.DateTimeFormat("en", { timeZone, dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" })
    .format(AT);
const PASSWORD = "correct horse battery staple";

Deno.test({
  name: "a page has one time zone, and says which",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using server = await startServer({ uri: "test:///default", logLevel: "error" });
    await call(server, "silence_alert", { minutes: 60, startsAt: AT });
    const page = "/alerts/silences";
    await t.step(
      "the browser's, from the second page on; the server's moments and typed ones are in it",
      async () => {
        await using tester = await browser();
        await visit(tester, server.url + page, async (tab) => {
          await tab.reload();
          await waitForText(tab, "footer.page-zone", "Times in Asia/Tokyo");
          await waitForText(tab, "main", shownIn("Asia/Tokyo"));
          assert.equal(await tab.locator("html").getAttribute("data-zone"), "Asia/Tokyo");
          await tab.getByLabel("Starts").fill("2090-01-01T12:00");
          await tab.getByRole("button", { name: "Silence", exact: true }).click();
          await waitForText(tab, "main", "Jan 1, 2090, 12:00:00");
          const silences = await call(server, "list_silences");
          assert.ok(
            silences.some(({ startsAt }) => startsAt === Date.UTC(2090, 0, 1, 3)),
            "typed in the page's zone",
          );
        }, { timezoneId: "Asia/Tokyo" });
      },
    );
    await t.step("what islands write is in the same zone as what the server writes", async () => {
      await using tester = await browser();
      await visit(tester, `${server.url}/`, async (tab) => {
        await tab.reload();
        const zoneOfText = () =>
          tab.evaluate(() =>
            [...document.querySelectorAll("time[title]")].every((each) =>
              each.getAttribute("title") ===
                new Intl.DateTimeFormat("en", {
                  timeZone: "Asia/Tokyo",
                  dateStyle: "medium",
                  timeStyle: "medium",
                  hourCycle: "h23",
                }).format(new Date(each.getAttribute("dateTime")!))
            )
          );
        await becomes(zoneOfText, true);
      }, { timezoneId: "Asia/Tokyo" });
    });
    await t.step("the account's choice goes before the browser's, without script", async () => {
      await asRoot(server, "create_user", {
        name: "ann",
        password: PASSWORD,
        grants: [{ role: "administrator", on: { kind: "everything" } }],
      });
      const ann = await signedIn(server, "ann", PASSWORD);
      await assert.rejects(ann.call("set_time_zone", { timeZone: "Mars/Olympus" }), /no time zone/);
      const look = async () => {
        const headers = { cookie: `${ann.headers.cookie}; zone=Asia/Tokyo` };
        return await (await fetch(server.url + page, { headers })).text();
      };
      assert.match(await look(), /Times in Asia\/Tokyo/);
      await ann.call("set_time_zone", { timeZone: "America/New_York" });
      const chosen = await look();
      assert.match(chosen, /Times in America\/New_York/);
      assert.ok(chosen.includes(shownIn("America/New_York")));
      await ann.call("set_time_zone", { timeZone: "browser" });
      assert.match(await look(), /Times in Asia\/Tokyo/);
    });
  },
});
