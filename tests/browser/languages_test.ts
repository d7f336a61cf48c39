/** Pages in other languages: chosen with and without script, kept by the account, the same for islands, errors and events. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { PSEUDO_LOCALE, PSEUDO_RTL_LOCALE } from "../../lib/i18n/pseudo.ts";
import { browser } from "../testbed/chromium.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { testFolder } from "../testbed/folder.ts";
import { writeTestLocales } from "../testbed/locales.ts";
import { asRoot, signedIn } from "../testbed/people.ts";
import { call } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { anonymously } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { parseEvents } from "../testbed/sse.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
const PASSWORD = "correct horse battery staple";
/** Pages of all kinds: lists, forms, graphs, settings. */
const PAGES = [
  "/",
  "/vms",
  "/vms/new",
  "/storage",
  "/networks",
  "/networks/new",
  "/images",
  "/templates",
  "/projects",
  "/schedules",
  "/schedules/new",
  "/replication",
  "/backups",
  "/backups/new",
  "/bin",
  "/alerts",
  "/insights",
  "/maintenance",
  "/monitoring",
  "/tasks",
  "/settings/account",
  "/settings/users",
  "/settings/hosts",
] as const;

/** A key in the place of its text. */
const RAW_KEY =
  /\b(?:vms|nav|create|storage|networks|images|alerts|backups|access|monitoring|tasks)\.[a-z_]{3,}\b/;

/** Names, units, roles by their names, and what the host says of itself. */
const NOT_OURS =
  /^(?:[\d.,\s]*(?:[KMGT]?i?B(?:\/s)?|bytes)|AMD EPYC.*|Intel.*|QEMU.*|#cloud-config|ann|test(?:er)?|visitor|administrator)$|~⟧$|^swtpm is not installed/;

/** Texts of a page that are not taken from the texts. Names, values and moments are not among them. */
const unmarked = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found = new Set<string>(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const skipped =
      "bdi, code, pre, time, kbd, script, style, option, datalist, .mono, [lang], [translate=no]";
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement!, skippedBy = element.closest(skipped);
      if (skippedBy !== null && skippedBy !== document.documentElement) continue;
      const rest = (node.textContent ?? "").replace(/⟦[^⟧]*⟧/g, " ").trim();
      if (/\p{L}{3}/u.test(rest)) found.add(rest);
    }
    return [...found];
  });

/** Waits for a text on a page. */
const wait = (page: Page, text: string) => waitForText(page, "body", text);

/** Calls a command as a page does, and gives what it says. */
const said = (page: Page, command: string, input: unknown) =>
  page.evaluate(async ([command, input]) => {
    const response = await fetch(`/api/v1/commands/${command}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
    });
    return { language: response.headers.get("content-language"), ...await response.json() };
  }, [command, input] as const);

async function eachLanguage(t: Deno.TestContext, server: TestServer): Promise<void> {
  const [vm] = await call(server, "get_vms");
  await using tester = await browser();
  for (const [language, mark] of [["de", "De·"], ["ja", "日本"]] as const) {
    await t.step(`${language}: page, island, error and live event`, async () => {
      await visit(tester, `${server.url}/`, async (page) => {
        const html = page.locator("html");
        assert.deepEqual([await html.getAttribute("lang"), await html.getAttribute("dir")], [
          language,
          "ltr",
        ]);
        await wait(page, `${mark}Virtual machines`);
        const files = await page.evaluate(() =>
          performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname).filter((path) =>
            path.startsWith("/_fresh/")
          )
        );
        assert.ok(files.length > 0);
        assert.deepEqual(files.filter((path) => !path.includes(`/${language}/`)), [], "all of one language");
        const error = await said(page, "get_vm", { vmId: "00000000-0000-4000-8000-000000000000" });
        assert.equal(error.language, language);
        assert.match(error.message, new RegExp(`^${mark}VM not found`));
        // The feed is written by an island, from an event
        await call(server, "pause_vm", { vmId: vm!.id });
        await waitForText(page, "main", `${mark}Paused`);
        await call(server, "resume_vm", { vmId: vm!.id });
      }, { extraHTTPHeaders: { "accept-language": language }, expected: /404 .*\/get_vm/ });
    });
  }
  await t.step("a language that is chosen in the user's menu is kept, with and without script", async () => {
    for (const javaScriptEnabled of [true, false]) {
      await visit(tester, `${server.url}/vms`, async (page) => {
        await page.locator("[popovertarget=user-menu]").click();
        await page.locator(".language-menu summary").click();
        await page.getByRole("button", { name: "日本語" }).click();
        await waitForText(page, "h1", "日本Virtual machines");
        assert.equal(new URL(page.url()).pathname, "/vms");
        await page.locator("[popovertarget=user-menu]").click();
        await page.locator(".language-menu summary").click();
        await page.getByRole("button", { name: "English" }).click();
        await waitForText(page, "h1", "Virtual machines");
        assert.equal(await page.locator("html").getAttribute("lang"), "en");
        await page.locator("[popovertarget=user-menu]").click();
        await page.locator(".language-menu summary").click();
        await page.getByRole("button", { name: "Language of the browser" }).click();
        await waitForText(page, "h1", "De·Virtual machines");
      }, { javaScriptEnabled, extraHTTPHeaders: { "accept-language": "de" } });
    }
  });
}

async function atTheDoor(server: TestServer): Promise<void> {
  await asRoot(server, "create_user", {
    name: "ann",
    password: PASSWORD,
    grants: [{ role: "administrator", on: { kind: "everything" } }],
  });
  const look = async (path: string, headers: Record<string, string>) =>
    await anonymously(server.url + path, { headers, redirect: "manual" });
  const page = await look("/sign-in", { "accept-language": "zh-TW, de;q=0.5" });
  assert.match(page.headers.get("vary") ?? "", /accept-language/);
  assert.equal(page.headers.get("content-language"), "de");
  const html = await page.text();
  assert.match(html, /<html lang="de"/);
  assert.match(html, /De·Sign in/);
  for (const name of ["English", "Deutsch", "日本語"]) assert.ok(html.includes(`>${name}</button>`), name);
  const chosen = await anonymously(`${server.url}/preferences`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ lang: "ja" }),
    headers: { origin: server.url, referer: `${server.url}/sign-in?to=%2Fvms` },
  });
  assert.deepEqual([chosen.status, chosen.headers.get("location")], [303, "/sign-in?to=%2Fvms"]);
  assert.match(chosen.headers.get("set-cookie") ?? "", /^lang=ja; Path=\//);
  assert.match(
    await (await look("/sign-in", { cookie: "lang=ja", "accept-language": "de" })).text(),
    /日本Sign in/,
  );
  const wrong = await anonymously(`${server.url}/preferences`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ lang: "../en" }),
    headers: { origin: server.url },
  });
  assert.equal(wrong.status, 400);
  await wrong.body?.cancel();

  const ann = await signedIn(server, "ann", PASSWORD);
  await assert.rejects(ann.call("set_language", { language: "tlh" }), /no texts in that language/);
  await ann.call("set_language", { language: "de" });
  const first = await ann.fetch("/vms");
  assert.match(await first.text(), /<html lang="de"/);
  assert.match(first.headers.get("set-cookie") ?? "", /lang=de/);
  await ann.call("set_language", { language: "browser" });
  assert.match(await (await ann.fetch("/vms")).text(), /<html lang="en"/);
}

/** Events are told in the language of who reads them, when they happen and when they were missed. */
async function events(server: TestServer): Promise<void> {
  const [vm] = await call(server, "get_vms");
  const open = (language: string, since?: string | null) =>
    fetch(`${server.url}/api/v1/events`, {
      headers: { "accept-language": language, ...since && { "last-event-id": since } },
    });
  /** The next call that failed, as the activity tells it. */
  const failure = async (stream: Response) => {
    for await (const { event, id, data } of parseEvents(stream.body!)) {
      const { result, message } = data as { result?: string; message?: string };
      if (event === "activity" && result === "error") return { id, message: message ?? "" };
    }
    assert.fail("the stream ended");
  };
  const fail = () => assert.rejects(call(server, "start_vm", { vmId: vm!.id }));
  const german = await open("de");
  await fail();
  const live = await failure(german);
  assert.match(live.message, /^De·/);
  await fail();
  assert.match((await failure(await open("ja", live.id))).message, /^日本/);
  assert.doesNotMatch((await failure(await open("en", live.id))).message, /De·|日本/);
}

Deno.test({
  name: "pages are in the language that was chosen",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using folder = await testFolder();
    await writeTestLocales(folder.path);
    const env = { KVMM_LOCALES: folder.path };
    await using server = await startServer({ uri: "test:///default", logLevel: "error", env });
    await eachLanguage(t, server);
    await t.step("events come in the reader's language", () => events(server));
    await t.step("the sign-in page, and what an account keeps", () => atTheDoor(server));
    await t.step("the command line speaks the language of the shell; JSON stays as it is", async () => {
      const shell = (LANG: string) => new CommandLine({ LANG, ...env, KVMM_SOCKET: server.socket });
      const german = shell("de_DE.UTF-8"), english = shell("C.UTF-8");
      const missing = await german.run(["vm", "show", "nobody"]);
      assert.deepEqual([missing.status, /De·VM not found/.test(missing.err)], [4, true], missing.err);
      assert.match((await german.run(["vm", "--help"])).out, /De·Show one VM/);
      assert.doesNotMatch((await english.run(["vm", "--help"])).out, /De·/);
      assert.equal(
        (await german.run(["vm", "list", "-o", "json"])).out,
        (await english.run(["vm", "list", "-o", "json"])).out,
      );
    });
    await using tester = await browser();
    for (const path of PAGES) {
      await t.step(`${path}: longer words fit, wide and on a phone`, async () => {
        await visit(tester, server.url + path, async (page) => {
          assert.equal(await page.locator("html").getAttribute("lang"), PSEUDO_LOCALE);
          assert.equal(await overflows(page), false, "at 1440");
          assert.deepEqual((await unmarked(page)).filter((text) => !NOT_OURS.test(text)), []);
          assert.doesNotMatch(await page.locator("main").innerText(), RAW_KEY);
          await page.setViewportSize(PHONE.viewport!);
          assert.equal(await overflows(page), false, "at 390");
        }, {
          viewport: { width: 1440, height: 900 },
          extraHTTPHeaders: { "accept-language": PSEUDO_LOCALE },
        });
      });
    }
    for (const path of ["/", "/vms", "/vms/new", "/settings/account"]) {
      await t.step(`${path}: from right to left`, async () => {
        await visit(tester, server.url + path, async (page) => {
          assert.equal(await page.locator("html").getAttribute("dir"), "rtl");
          assert.equal(await overflows(page), false);
        }, {
          viewport: { width: 1440, height: 900 },
          extraHTTPHeaders: { "accept-language": PSEUDO_RTL_LOCALE },
        });
      });
    }
  },
});
