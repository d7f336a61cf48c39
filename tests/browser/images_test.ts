/** The pages on images: list, catalogue, URL, rules; with and without script, in both themes, on a phone. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { Mirror } from "../testbed/mirror.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { call, knownPool, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { fromMenu, looksWell, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");

for (const javaScriptEnabled of [true, false]) {
  Deno.test({
    name: `the images pages, ${javaScriptEnabled ? "with" : "without"} script`,
    ignore: reason !== null,
    // playwright-core keeps timers and pipes of the browser's process a moment longer.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: (t) => pages(t, javaScriptEnabled),
  });
}

async function pages(t: Deno.TestContext, javaScriptEnabled: boolean): Promise<void> {
  await using pool = await testPool("images-pages");
  await using mirror = new Mirror();
  const body = new Uint8Array(3_000_000);
  mirror.serve("/fedora-42.img", { body });
  const slow = mirror.serve("/slow.iso", { body, pace: 250 });
  const catalog = `${filesOf(pool.name)}/catalog.json`;
  const url = `${mirror.url}/fedora-42.img`;
  const image = {
    id: "fedora",
    name: "Fedora 42",
    arch: "x86_64",
    url,
    format: "raw",
    user: "fedora",
    sizeBytes: body.length,
    published: "2026-04-14",
  };
  // The host's own come first, wherever they stand in the file
  const foreign = { ...image, id: "fedora-s390x", arch: "s390x", url: `${mirror.url}/fedora-42-s390x.img` };
  await Deno.writeTextFile(catalog, JSON.stringify({ images: [foreign, image] }));
  await using server = await readyServer({ env: { KVMM_IMAGE_CATALOG: catalog } });
  await knownPool(server, pool.name);
  await using tester = await browser();
  const options = { javaScriptEnabled };

  await t.step(
    "what the rules do not allow is refused, with the reason; the rules are changed",
    () =>
      visit(tester, `${server.url}/images`, async (page) => {
        await page.getByRole("link", { name: "Add from a URL" }).first().click();
        await page.getByLabel("URL", { exact: true }).fill(slow);
        await page.getByLabel("Storage pool").selectOption(pool.name);
        await page.getByRole("button", { name: "Download" }).click();
        await waitForText(page, "[role=alert]", "Downloads from 127.0.0.1 are not allowed");
        await becomes(() => page.getByLabel("URL", { exact: true }).inputValue(), slow);
        await page.goto(`${server.url}/images/policy`);
        await page.getByLabel("Also allowed").fill("not a host!");
        await page.getByRole("button", { name: "Save" }).click();
        await waitForText(page, "[role=alert]", '"host!" is no host name');
        await page.getByLabel("Also allowed").fill("127.0.0.1\nmirror.example");
        await page.getByRole("button", { name: "Save" }).click();
        await waitForText(page, "main", "The policy was saved");
        assert.deepEqual((await call(server, "get_image_policy")).hosts, ["127.0.0.1", "mirror.example"]);
      }, { ...options, expected: /status of 40[03]/ }),
  );

  await t.step(
    "a download from a URL is seen on its way, and cancelled",
    () =>
      visit(tester, `${server.url}/images/new`, async (page) => {
        await page.getByLabel("URL", { exact: true }).fill(slow);
        await page.getByLabel("Storage pool").selectOption(pool.name);
        await page.getByRole("button", { name: "Download" }).click();
        await waitForText(page, "main", "The download of ");
        await waitForText(page, ".job", `Download slow.iso to ${pool.name}`);
        await becomes(() => page.locator("[data-image='slow.iso']").count(), 0);
        await page.getByRole("button", { name: /^Cancel: Download slow/ }).click();
        await until(
          "it to be over",
          async () => (await call(server, "list_jobs", { open: true })).length === 0,
        );
        assert.doesNotMatch(await virsh("vol-list", pool.name), /slow/);
      }, options),
  );

  await t.step(
    "an image of the catalogue comes with one click, and is found",
    () =>
      visit(tester, `${server.url}/images/catalog`, async (page) => {
        const first = page.locator("[data-catalog]").first();
        assert.match(
          await first.innerText(),
          /^Fe\n+Fedora 42\n+x86_64\n+Size\s+2\.9 MiB\n+Published\s+2026-04-14/,
        );
        assert.equal(await page.locator("[data-catalog='fedora-s390x']").isVisible(), false);
        await page.getByText("Other architectures").click();
        await page.locator("[data-catalog='fedora-s390x']").waitFor();
        await page.getByLabel("Into the pool").selectOption(pool.name);
        await page.getByRole("button", { name: "Download Fedora 42 x86_64" }).click();
        await waitForText(page, "main", "The download of ");
        const row = page.locator("[data-image='fedora-42.img']");
        if (javaScriptEnabled) await row.waitFor();
        else {
          await until(
            "it to be over",
            async () => (await call(server, "list_jobs", { open: true })).length === 0,
          );
          await page.goto(`${server.url}/images`);
        }
        assert.match(await row.innerText(), /Fedora/);
        await page.goto(`${server.url}/images/catalog`);
        await waitForText(page, "[data-catalog='fedora']", `In ${pool.name}`);
        await page.getByRole("link", { name: "Create VM from Fedora 42 x86_64" }).click();
        await page.waitForURL(/vms\/new\?cloud=/);
        await becomes(() => page.locator("[name=source]:checked").inputValue(), "cloud");
        await becomes(
          () => page.locator("[name=imagePath]:checked").inputValue(),
          `${pool.name}/fedora-42.img`,
        );
        await page.goto(`${server.url}/images`);
        await page.getByLabel("Search images").fill("fedora-42");
        await page.keyboard.press("Enter");
        await page.waitForURL(/q=fedora-42/);
        await row.waitFor();
        await page.getByRole("link", { name: "ISOs" }).click();
        await page.waitForURL(/kind=iso/);
        await becomes(() => row.count(), 0);
      }, options),
  );

  await t.step("the library is apart from the disks of VMs", async () => {
    await using vm = await testMachine({ guest: false, disks: [{ pool, size: "16M" }] });
    const disk = basename(vm.disks[0]!);
    // What virsh makes in a pool is seen with the pool's next look
    await call(server, "refresh_storage_pool", { pool: pool.name });
    // Without script a page shows what was known when it was asked for
    await until("the disk to be known as the VM's", async () => {
      const { images } = await call(server, "list_images", { vmDisks: true });
      return images.some(({ name, usedBy }) => name === disk && usedBy.length > 0);
    });
    await visit(tester, `${server.url}/images?q=${pool.name}`, async (page) => {
      await page.locator("[data-image='fedora-42.img']").waitFor();
      assert.equal(await page.locator(`[data-image='${disk}']`).count(), 0);
      await page.getByRole("link", { name: "Show disks of VMs" }).click();
      await page.waitForURL(/vmDisks=yes/);
      await waitForText(page, `[data-image='${disk}']`, vm.name);
    }, options);
  });

  if (javaScriptEnabled) {
    await t.step("a file is uploaded there", () =>
      visit(tester, `${server.url}/images`, async (page) => {
        await page.getByRole("link", { name: "Upload", exact: true }).click();
        await page.waitForURL(/images\?do=upload/);
        await page.getByLabel("Storage pool").selectOption(pool.name);
        await page.getByLabel("File", { exact: true }).setInputFiles({
          name: "own.img",
          mimeType: "application/octet-stream",
          buffer: Buffer.alloc(2 ** 20),
        });
        await page.getByRole("button", { name: "Upload", exact: true }).click();
        await waitForText(page, ".panel", "own.img was uploaded.");
        await page.locator("[data-image='own.img']").waitFor();
        assert.match(await virsh("vol-list", pool.name), /own\.img/);
      }));
    await looks();
  }

  await t.step(
    "an image is deleted, after a question",
    () =>
      visit(tester, `${server.url}/images`, async (page) => {
        await fromMenu(page, "fedora-42.img", "Delete fedora-42.img");
        await page.getByRole("button", { name: "Delete" }).click();
        await waitForText(page, "main", "The volume fedora-42.img was deleted");
        await becomes(() => page.locator("[data-image='fedora-42.img']").count(), 0);
        assert.doesNotMatch(await virsh("vol-list", pool.name), /fedora/);
      }, options),
  );

  /** Accessible in both themes, and nothing wider than a phone. */
  async function looks(): Promise<void> {
    const ask = `/images?do=delete&pool=${pool.name}&image=fedora-42.img`;
    for (
      const path of ["/images", ask, "/images?do=upload", "/images/new", "/images/catalog", "/images/policy"]
    ) {
      await looksWell(t, tester, server.url + path, path.replace(pool.name, "…"));
    }
  }
}
