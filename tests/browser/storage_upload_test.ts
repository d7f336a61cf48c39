/** Uploading and downloading volumes from a pool's page, over a connection that breaks, too. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { browser } from "../testbed/chromium.ts";
import { testFolder } from "../testbed/folder.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, readyServer } from "../testbed/product.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { cuttingProxy } from "../testbed/socks.ts";
import { becomes, until } from "../testbed/wait.ts";
import { fromMenu, looksWell, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const MIB = 2 ** 20;

/** Sends the first of 8 MiB, and hangs up. */
async function breakOff(server: string, pool: string, volume: string): Promise<void> {
  const abort = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(MIB)),
    pull: () => new Promise(() => {}),
  });
  const sent = fetch(`${server}/api/v1/storage/pools/${pool}/volumes/${volume}/content`, {
    method: "PUT",
    body,
    headers: { "content-range": `bytes 0-${8 * MIB - 1}/${8 * MIB}` },
    signal: abort.signal,
  }).catch(() => "hung up");
  await until("a part to arrive", async () => {
    const response = await fetch(`${server}/api/v1/storage/pools/${pool}/uploads`);
    const [found] = await response.json() as { offset: number }[];
    return (found?.offset ?? 0) > 0;
  });
  abort.abort();
  assert.equal(await sent, "hung up");
}

Deno.test({
  name: "a volume is uploaded and downloaded from its pool's page",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using pool = await testPool("upload");
    await using server = await readyServer();
    await using tester = await browser();
    const here = `${server.url}/storage/${pool.name}`;
    const file = `${filesOf(pool.name)}/disk.raw`;
    const bytes = new Uint8Array(12 * MIB);
    for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    await Deno.writeFile(file, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");

    await t.step(
      "a chosen file goes up, its checksum is shown, the list has it, and it comes down again",
      () =>
        visit(tester, here, async (page) => {
          await page.getByRole("link", { name: "Upload", exact: true }).click();
          await page.getByLabel("File", { exact: true }).setInputFiles(file);
          await until(
            "the file's name",
            async () => await page.getByLabel("Name of the volume").inputValue() === "disk.raw",
          );
          await page.getByLabel("Expected SHA-256").fill(sha256.toUpperCase());
          await page.getByRole("button", { name: "Upload", exact: true }).click();
          await waitForText(page, "[role=status]", "disk.raw was uploaded.");
          await waitForText(page, ".upload-sum", sha256);
          await page.locator("[data-volume='disk.raw']").waitFor();
          assert.ok(
            Buffer.compare(await Deno.readFile(`${pool.path}/disk.raw`), bytes) === 0,
            "other content",
          );
          const download = page.waitForEvent("download");
          await page.getByRole("link", { name: "Download disk.raw" }).click();
          const saved = await (await download).path();
          assert.equal(createHash("sha256").update(await Deno.readFile(saved)).digest("hex"), sha256);
        }),
    );
    await t.step(
      "what cannot be is said before anything is sent",
      () =>
        visit(tester, `${here}?do=upload`, async (page) => {
          const names = new Set<string>();
          page.on("request", (request) => request.method() === "PUT" && names.add(request.url()));
          await page.getByLabel("File", { exact: true }).setInputFiles(file);
          await page.getByRole("button", { name: "Upload", exact: true }).click();
          await waitForText(page, "[role=alert]", "Volume already exists: disk.raw");
          assert.equal(names.size, 0);
        }),
    );
    await t.step(
      "a dropped file is taken, a wrong checksum refused",
      () =>
        visit(tester, `${here}?do=upload`, async (page) => {
          const transfer = await page.evaluateHandle(() => {
            const data = new DataTransfer();
            data.items.add(new File(["small"], "dropped.raw"));
            return data;
          });
          await page.locator(".upload-drop").dispatchEvent("drop", { dataTransfer: transfer });
          await waitForText(page, ".upload-drop", "dropped.raw");
          await page.getByLabel("Expected SHA-256").fill("0".repeat(64));
          await page.getByRole("button", { name: "Upload", exact: true }).click();
          await waitForText(page, "[role=alert]", /SHA-256 is/i);
          assert.equal(await exists(`${pool.path}/dropped.raw`), false);
        }, { expected: /status of 4\d\d/ }),
    );
    await t.step("a connection that breaks in the middle is made again, and the rest goes up", async () => {
      let isResumed = false;
      for (let tries = 1; tries <= 6 && !isResumed; tries++) {
        const name = `resumed-${tries}.raw`;
        await using proxy = cuttingProxy();
        await visit(tester, `${here}?do=upload`, async (page) => {
          const starts: string[] = [];
          // Those that the page gave, in order: all headers are told later, and of a request that is cut maybe last.
          page.on("request", (request) => {
            if (request.method() === "PUT") starts.push(request.headers()["content-range"] ?? "");
          });
          await page.getByLabel("File", { exact: true }).setInputFiles(file);
          await until(
            "the file's name",
            async () => await page.getByLabel("Name of the volume").inputValue() === "disk.raw",
          );
          await page.getByLabel("Name of the volume").fill(name);
          proxy.cutAfter(5 * MIB);
          await page.getByRole("button", { name: "Upload", exact: true }).click();
          await waitForText(page, "[role=status]", `${name} was uploaded.`, 60);
          await waitForText(page, ".upload-sum", sha256);
          // Chromium may send the whole again by itself, of which the page is not told
          isResumed ||= /^bytes [1-9]\d*-/.test(starts.at(-1)!);
          assert.ok(isResumed || starts.length === 1, starts.join());
          assert.ok(
            Buffer.compare(await Deno.readFile(`${pool.path}/${name}`), bytes) === 0,
            "other content",
          );
        }, {
          expected: /ERR_(CONNECTION|SOCKS|EMPTY)|status of 409/,
          proxy: { server: proxy.address, bypass: "<-loopback>" },
        });
      }
      assert.ok(isResumed, "the page went on where the connection broke");
    });
    await t.step(
      "it is cancelled, and nothing is left",
      () =>
        visit(tester, `${here}?do=upload`, async (page) => {
          const wire = await page.context().newCDPSession(page);
          await wire.send("Network.enable");
          await wire.send("Network.emulateNetworkConditions", {
            offline: false,
            latency: 0,
            downloadThroughput: -1,
            uploadThroughput: MIB,
          });
          await page.getByLabel("File", { exact: true }).setInputFiles(file);
          await page.getByLabel("Name of the volume").fill("cancelled.raw");
          await page.getByRole("button", { name: "Upload", exact: true }).click();
          await until("a part to be there", async () => {
            const [job] = await call(server, "list_jobs", { open: true });
            return (job?.doneBytes ?? 0) > 0;
          });
          await page.getByRole("button", { name: "Cancel the upload" }).click();
          await page.getByRole("button", { name: "Upload", exact: true }).and(page.locator(":enabled"))
            .waitFor();
          await until("it to be gone", async () => !await exists(`${pool.path}/cancelled.raw`));
        }, { expected: /status of 4\d\d/ }),
    );
    for (const javaScriptEnabled of [true, false]) {
      // The same form within 0.6 s would be the second click of a double-click
      const name = javaScriptEnabled ? "broken.raw" : "broken-2.raw";
      await t.step(
        `what broke off is shown and can be removed, ${javaScriptEnabled ? "with" : "without"} script`,
        async () => {
          await breakOff(server.url, pool.name, name);
          await until("it to be kept", async () => {
            const [found] = await call(server, "list_uploads", { pool: pool.name });
            return found?.isRunning === false;
          });
          await visit(tester, `${here}?do=upload`, async (page) => {
            const row = page.locator(`[data-upload='${name}']`);
            assert.match(await row.innerText(), /Broke off · .* of 8 MiB/);
            await page.getByRole("button", { name: `Remove ${name}` }).click();
            await waitForText(page, "[role=status]", `The unfinished upload ${name} was removed.`);
            await becomes(() => row.count(), 0);
            assert.equal(await exists(`${pool.path}/${name}`), false);
            assert.deepEqual(await call(server, "list_uploads", { pool: pool.name }), []);
          }, { javaScriptEnabled });
        },
      );
    }
    await t.step(
      "without script the lines for a shell are there, and work, and a volume is converted",
      () =>
        visit(tester, `${here}?do=upload`, async (page) => {
          const lines = await page.locator(".upload-shell code").allInnerTexts();
          assert.deepEqual([lines.length, lines[0]!.startsWith("kvm-manager volume upload ")], [2, true]);
          await using folder = await testFolder();
          await Deno.writeTextFile(`${folder.path}/shell.raw`, "hello");
          const KVMM_TOKEN = testerHeaders(server.url).authorization!.replace("Bearer ", "");
          const line = lines[1]!.replaceAll("disk.qcow2", "shell.raw");
          const answer = await run(["sh", "-c", line], { cwd: folder.path, env: { KVMM_TOKEN } });
          assert.equal(JSON.parse(answer).size, 5);
          await becomes(() => page.getByLabel("File", { exact: true }).isVisible(), false);
          await fromMenu(page, "disk.raw", "Convert");
          await becomes(() => page.getByLabel("Name of the new volume").inputValue(), "disk.qcow2");
          await page.getByRole("button", { name: "Convert" }).click();
          await becomes(() => page.getByText(/The volume .* was converted|Convert.*: started/).count(), 1);
          await until("the image", () => exists(`${pool.path}/disk.qcow2`));
        }, { javaScriptEnabled: false }),
    );
    for (
      const path of [`${here}?do=upload`, `${here}?do=convert&volume=disk.raw`]
    ) {
      await looksWell(t, tester, path, path.slice(here.length));
    }
  },
});
