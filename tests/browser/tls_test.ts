/** The pages over TLS in a real browser: the certificate is what it says it is, the session is `__Host-`. */
import assert from "node:assert/strict";
import { browser, checkAccessibility, watchPage } from "../testbed/chromium.ts";
import { asRoot } from "../testbed/people.ts";
import { requirement } from "../testbed/skip.ts";
import { startTlsServer } from "../testbed/tls.ts";
import { overflows, PHONE, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const PASSWORD = "correct horse battery";

Deno.test({
  name: "over TLS: sign-in with a __Host- cookie, live pages, and the certificate's page in both themes",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using tls = await startTlsServer();
    await using tester = await browser();
    const grants = [{ role: "administrator", on: { kind: "everything" as const } }];
    await asRoot(tls.server, "create_user", { name: "ann", password: PASSWORD, grants });
    const strict = await tester.newContext();
    await assert.rejects(
      (await strict.newPage()).goto(tls.url),
      /ERR_CERT_AUTHORITY_INVALID/,
      "no authority has signed it",
    );
    await strict.close();
    const views = [{}, { colorScheme: "dark" as const }, PHONE, { ...PHONE, colorScheme: "dark" as const }];
    for (const view of views) {
      const context = await tester.newContext({ ...view, ignoreHTTPSErrors: true });
      const page = await context.newPage();
      const watch = watchPage(page);
      const streamed = page.waitForResponse(/\/api\/v1\/events/);
      // Who comes without TLS is led to it.
      await page.goto(`${tls.url.replace("https:", "http:")}/settings/certificate`);
      await page.waitForURL(`${tls.url}/sign-in?to=%2Fsettings%2Fcertificate`);
      await page.fill("[name=name]", "ann");
      await page.fill("[name=password]", PASSWORD);
      await page.click("button[type=submit]");
      await page.waitForURL(`${tls.url}/settings/certificate`);
      assert.equal((await streamed).status(), 200);
      const [cookie] = (await context.cookies()).filter(({ name }) => /^__Host-kvmm-\d+$/.test(name));
      assert.deepEqual([cookie!.secure, cookie!.httpOnly, cookie!.sameSite, cookie!.path], [
        true,
        true,
        "Lax",
        "/",
      ]);
      const { certificate } = await asRoot(tls.server, "get_certificate", {});
      await waitForText(page, ".fingerprint", certificate!.fingerprint);
      assert.equal(await overflows(page), false);
      assert.deepEqual(watch.all(), []);
      assert.deepEqual(await checkAccessibility(page), []);
      await context.close();
    }
  },
});
