/** Images that are fetched from the form for a new VM: what was typed stays, and what has come is chosen. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { Mirror } from "../testbed/mirror.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { call, knownPool, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const MIB = 2 ** 20;

Deno.test({
  name: "an image is fetched from the form for a new VM, and nothing that was typed is lost",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using pool = await testPool("create-images");
    await using mirror = new Mirror();
    const cloud = mirror.serve("/fedora-42.img", { body: new Uint8Array(MIB) });
    const iso = mirror.serve("/debian-12.iso", { body: new Uint8Array(MIB) });
    const slow = mirror.serve("/slow.img", { body: new Uint8Array(3 * MIB), pace: 250 });
    const catalog = `${filesOf(pool.name)}/catalog.json`;
    const image = { id: "fedora", name: "Fedora 42", arch: "x86_64", url: cloud, format: "raw" };
    await Deno.writeTextFile(catalog, JSON.stringify({ images: [image] }));
    await using server = await readyServer({ env: { KVMM_IMAGE_CATALOG: catalog } });
    await knownPool(server, pool.name);
    await call(server, "set_image_policy", { hosts: ["127.0.0.1"] });
    await using tester = await browser();
    const create = `${server.url}/vms/new`;
    /** Opens a way of the chosen source. */
    const open = async (page: Page, source: string, way: string) => {
      await page.locator(`[name=source][value=${source}]`).check({ force: true });
      await page.getByRole("button", { name: way, exact: true }).click();
      const group = page.getByRole("group", { name: way, exact: true });
      await group.getByLabel("Storage pool").selectOption(pool.name);
      return group;
    };

    await t.step(
      "from the catalogue, which is not downloaded twice",
      () =>
        visit(tester, create, async (page) => {
          await page.locator("[name=name]").fill("typed-before");
          await page.locator("[name=memoryMb]").fill("777");
          const group = await open(page, "cloud", "Download from the catalogue");
          await group.getByRole("button", { name: "Download", exact: true }).click();
          await waitForText(page, "[role=status]", `${pool.name}/fedora-42.img is here, and chosen.`);
          const chosen = page.locator("[name=imagePath]:checked");
          await becomes(() => chosen.inputValue(), `${pool.name}/fedora-42.img`);
          await becomes(() => page.locator("[name=imageCopy]").inputValue(), "qcow2");
          await becomes(() => page.locator("[name=name]").inputValue(), "typed-before");
          await becomes(() => page.locator("[name=memoryMb]").inputValue(), "777");
          assert.equal(page.url(), create);
          // In the list now: chosen again without a second download.
          await page.reload();
          const again = await open(page, "cloud", "Download from the catalogue");
          await again.locator("option", { hasText: "already in kvmm-test" }).waitFor({ state: "attached" });
          await again.getByRole("button", { name: "Download", exact: true }).click();
          await becomes(() => chosen.inputValue(), `${pool.name}/fedora-42.img`);
          const downloads = (await call(server, "list_jobs")).filter(({ command }) =>
            command === "download_image"
          );
          assert.equal(downloads.length, 1);
        }),
    );

    await t.step("from a URL: an ISO goes into the drive", () =>
      visit(tester, create, async (page) => {
        await page.locator("[name=name]").fill("typed-before");
        const group = await open(page, "iso", "Download by URL");
        await group.getByLabel("URL", { exact: true }).fill(iso);
        await group.getByLabel("URL", { exact: true }).press("Enter");
        await waitForText(page, "[role=status]", `${pool.name}/debian-12.iso is here, and chosen.`);
        await becomes(() => page.locator("[name=isoPath]").inputValue(), `${pool.path}/debian-12.iso`);
        await becomes(() => page.locator("[name=name]").inputValue(), "typed-before");
        await waitForText(page, ".create-facts", "Debian");
      }));

    await t.step(
      "what is refused is said there; what is on its way is waited for",
      () =>
        visit(tester, create, async (page) => {
          const group = await open(page, "image", "Download by URL");
          await group.getByLabel("URL", { exact: true }).fill("ftp://127.0.0.1/x.img");
          await group.getByRole("button", { name: "Download", exact: true }).click();
          await waitForText(page, "[role=alert]", "The image was not fetched.");
          await group.getByLabel("URL", { exact: true }).fill(slow);
          await group.getByRole("button", { name: "Download", exact: true }).click();
          await waitForText(page, ".job", "slow.img");
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, ".form-error", "The image is still on its way.");
          await group.getByRole("button", { name: /^Cancel/ }).click();
          await until("it to be over", async () => {
            return (await call(server, "list_jobs", { open: true })).length === 0;
          });
          await waitForText(page, ".form-error", "Choose an image.");
          assert.doesNotMatch(await virsh("vol-list", pool.name), /slow/);
        }, { expected: /status of 400/ }),
    );

    await t.step(
      "from this computer, with the choices open on a phone",
      () =>
        visit(tester, create, async (page) => {
          await page.locator("[name=name]").fill("typed-before");
          const group = await open(page, "image", "Upload");
          await group.getByLabel("File", { exact: true }).setInputFiles({
            name: "own.img",
            mimeType: "application/octet-stream",
            buffer: Buffer.alloc(MIB),
          });
          assert.equal(await overflows(page), false);
          await group.getByRole("button", { name: "Upload", exact: true }).click();
          await waitForText(page, "[role=status]", `${pool.name}/own.img is here, and chosen.`);
          assert.equal(
            await page.locator("[name=imagePath]:checked").inputValue(),
            `${pool.name}/own.img`,
          );
          await becomes(() => page.locator("[name=name]").inputValue(), "typed-before");
        }, PHONE),
    );

    await t.step(
      "the open choices are accessible",
      () =>
        visit(tester, create, async (page) => {
          await open(page, "image", "Upload");
        }, { accessible: "in both themes" }),
    );
  },
});
