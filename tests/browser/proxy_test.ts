/** Behind a reverse proxy, below a path, in a real browser: every page, script, style, form and event is found there. */
import assert from "node:assert/strict";
import { browser, watchPage } from "../testbed/chromium.ts";
import { asRoot } from "../testbed/people.ts";
import { reverseProxy } from "../testbed/reverse_proxy.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const PASSWORD = "correct horse battery";
/** VM of the test driver. */
const VM = "6695eb01-f6a4-8304-79aa-97f2502e193f";
const PAGES = [
  ...["/", "/vms", "/vms/new", `/vms/${VM}`, `/vms/${VM}/hardware`, `/vms/${VM}/disks`, `/vms/${VM}/xml`],
  "/storage",
  "/networks",
  "/networks/topology",
  "/images",
  "/tasks",
  "/settings/account",
  "/settings/certificate",
  "/api/v1/reference",
];

for (const strips of [false, true]) {
  Deno.test({
    name: `below /kvm, with a proxy that ${strips ? "takes the path away" : "leaves the path"}`,
    ignore: reason !== null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const args = ["--trusted-proxy", "127.0.0.1", "--host-name", "localhost", "--base-path", "/kvm"];
      await using server = await startServer({ uri: "test:///default", logLevel: "info", args });
      await using proxy = await reverseProxy({ to: server.url, base: "/kvm", strips });
      await using tester = await browser();
      const grants = [{ role: "administrator", on: { kind: "everything" as const } }];
      await asRoot(server, "create_user", { name: "ann", password: PASSWORD, grants });
      const context = await tester.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      const watch = watchPage(page);
      const requests: string[] = [], failed: string[] = [];
      page.on("request", (asked) => requests.push(asked.url()));
      page.on("response", (answer) => {
        if (answer.status() >= 400) failed.push(`${answer.status()} ${answer.url()}`);
      });
      const at = `${proxy.origin}/kvm`;

      await page.goto(`${at}/settings/sessions`);
      await page.waitForURL(`${at}/sign-in?to=%2Fsettings%2Fsessions`);
      await page.fill("[name=name]", "ann");
      await page.fill("[name=password]", PASSWORD);
      await page.click("button[type=submit]");
      await page.waitForURL(`${at}/settings/sessions`);
      const [session] = await asRoot(server, "list_sessions", { all: true });
      assert.equal(
        session!.address,
        "127.0.0.1",
        "only proxies in between: the browser is on this host",
      );
      assert.ok(
        (await context.cookies()).some(({ name, secure }) => /^__Host-kvmm(-\d+)?$/.test(name) && secure),
      );

      for (const path of PAGES) {
        await page.goto(at + path);
        await waitForText(page, "h1", /./);
        const astray = await page.evaluate(() =>
          [...document.querySelectorAll("[href],[src],[action],[formaction]")].flatMap((element) =>
            ["href", "src", "action", "formaction"].map((name) => element.getAttribute(name) ?? "")
          ).filter((address) => /^\/(?!\/)/.test(address) && !/^\/kvm(?:[/?]|$)/.test(address))
        );
        assert.deepEqual(astray, [], path);
      }
      // Scripts: a command, its event, the palette's way to another page, a form without script's help.
      await page.goto(`${at}/vms/${VM}`);
      const streamed = page.waitForResponse(/\/kvm\/api\/v1\/events/);
      await page.reload();
      assert.equal((await streamed).status(), 200);
      await asRoot(server, "pause_vm", { vmId: VM });
      await waitForText(page, ".page-head, .vm-head, main", /Paused/i);
      await asRoot(server, "resume_vm", { vmId: VM });
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").waitFor();
      await page.keyboard.type("Networks");
      await page.getByRole("option", { name: "Networks" }).first().waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL(`${at}/networks`);
      const plain = await tester.newContext({
        ignoreHTTPSErrors: true,
        javaScriptEnabled: false,
        storageState: await context.storageState(),
      });
      const still = await plain.newPage();
      await still.goto(`${at}/vms`);
      await still.locator("form[action='/kvm/preferences'] button[value=dark]").first().click();
      await still.waitForURL(`${at}/vms`);
      assert.equal(await still.locator("html").getAttribute("data-theme"), "dark");
      await plain.close();
      // The session ends: back to the sign-in, and from there to where one was.
      await page.goto(`${at}/vms?state=running`);
      for (const { id } of await asRoot(server, "list_sessions", { all: true })) {
        await asRoot(server, "revoke_session", { sessionId: id });
      }
      await page.waitForURL(`${at}/sign-in?to=${encodeURIComponent("/vms?state=running")}`, {
        timeout: 90_000,
      });

      // The proxy's own origin is the only one: the server's is another site here.
      const socket = (origin: string) => upgrade(`${proxy.origin}/kvm/consoles/vnc/${VM}?ticket=x`, origin);
      assert.match(await socket("https://evil.example"), /ForeignOrigin/);
      assert.match(await socket(server.url), /ForeignOrigin/);
      assert.doesNotMatch(await socket(proxy.origin), /ForeignOrigin|ForeignHost/);

      await until("the last requests", () => Promise.resolve(requests.length > 0), { seconds: 5 });
      console.log(`      ${PAGES.length} pages, ${requests.length} requests`);
      assert.deepEqual(proxy.strays, [], "nothing is asked for outside of the path");
      assert.deepEqual(failed.filter((text) => !text.startsWith("401 ")), []);
      assert.deepEqual(watch.all().filter((text) => !/401/.test(text)), []);
      await context.close();
    },
  });
}

/** Asks for a WebSocket; gives what a refusal says, or that there was none. */
async function upgrade(url: string, origin: string): Promise<string> {
  const { WebSocket } = await import("ws");
  const socket = new WebSocket(url.replace("https:", "wss:"), { origin, rejectUnauthorized: false });
  return await new Promise((resolve) => {
    socket.on("unexpected-response", (_request, answer) => {
      let text = "";
      answer.on("data", (part: Uint8Array) => text += new TextDecoder().decode(part));
      answer.on("end", () => resolve(text));
    });
    socket.on("error", (error) => resolve(String(error)));
    socket.on("open", () => {
      socket.close();
      resolve("open");
    });
  });
}
