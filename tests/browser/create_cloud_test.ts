/** A VM from a cloud image: the sign-in is set up from the first, its absence is shown, and it is kept through a reload. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { testPool } from "../testbed/pool.ts";
import { call, knownPool, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const NO_SIGN_IN = "No user can sign in: no password and no key";
const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDevMTEDHkmIYu3VVsmi/0NYl4KEhg2ZFtKpPjJNMo6k ann@example.org";
const IMAGE = "debian-12-genericcloud-amd64.qcow2";

Deno.test({
  name:
    "Create offers a cloud image's own user, warns if no user can sign in, and keeps all but the password",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using server = await readyServer();
    await using pool = await testPool("create-cloud");
    await pool.createVolume(IMAGE, "64M");
    await knownPool(server, pool.name);
    await call(server, "refresh_storage_pool", { pool: pool.name });
    await until(
      "the image to be known",
      async () => (await call(server, "list_images")).images.some((image) => image.pool === pool.name),
    );
    await using tester = await browser();
    const address = `${server.url}/vms/new?cloud=${pool.name}/${IMAGE}`;
    await visit(tester, address, async (page) => {
      const user = page.locator("[name='ci.form.users.0.name']");
      await becomes(() => user.inputValue(), "debian");
      await becomes(() => page.locator("[name='ci.form.users.0.sudo']").inputValue(), "nopasswd");
      await becomes(() => user.isVisible(), true);
      await waitForText(page, ".folded .banner", NO_SIGN_IN);
      await waitForText(page, ".create-summary", NO_SIGN_IN);
      await user.fill("ann");
      await page.locator("[name='ci.form.users.0.password']").fill("typed-12345");
      await page.locator(".create-summary").getByText(NO_SIGN_IN).waitFor({ state: "detached" });
      await page.reload();
      await becomes(() => user.inputValue(), "ann");
      await becomes(() => user.isVisible(), true);
      await waitForText(page, ".folded .banner", "The password of ann was not kept. Type it again.");
      await waitForText(page, ".create-summary", NO_SIGN_IN);
      await page.locator("[name='ci.form.users.0.password']").fill("typed-12345");
      await page.getByText("The password of ann was not kept").waitFor({ state: "detached" });
      const saved = await page.evaluate(async (key) => {
        const body = JSON.stringify({ sshKeys: [key] });
        const headers = { "content-type": "application/json" };
        return (await fetch("/api/v1/account/ssh-keys", { method: "PUT", headers, body })).status;
      }, KEY);
      assert.equal(saved, 200);
    }, { accessible: true });

    await visit(tester, address, async (page) => {
      await becomes(() => page.locator("[name='ci.form.users.0.sshKeys']").inputValue(), KEY);
      assert.equal(await page.getByText("are kept with your account are filled in").count(), 1);
      assert.equal(await page.locator(".create-summary").getByText(NO_SIGN_IN).count(), 0);
    }, { javaScriptEnabled: false });
  },
});
