/** Every form of every page, refused once without script and with it: every field but secrets comes back as it was filled in. */
import assert from "node:assert/strict";
import type { Page, Request, Response } from "playwright-core";
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { formField } from "../../lib/text/form_input.ts";
import { browser, hydrated } from "../testbed/chromium.ts";
import { asRoot } from "../testbed/people.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { CANARY, fill, type FilledForm, formsOf, send } from "./forms/fill.ts";

const ignore = await requirement("chromium") !== null;

/** Pages without forms of their own, files, and the way out. */
const NOT_VISITED = /^\/(?:api|sign-out|preferences|monitoring\/csv)\b/;
/** Forms that are sent to change the page alone. */
const OF_SHELL = /^\/(?:preferences|sign-out)$/;

/** Fields that are no passwords, and are not sent back all the same, where no command's schema says which. */
const OF_CLOUD_INIT = ["userData", "runCommands", "networkConfig"];

/** Whether a form's command calls a field of this name a secret. */
function isSecretOf(action: string, name: string): boolean {
  const command = /^\/do\/(\w+)/.exec(action)?.[1] as CommandName;
  return formField((COMMANDS[command] as Command).input, name).isSecret;
}

/** Forms that are not shown where there is script. */
const WITHOUT_SCRIPT = /^\/vms\/actions$/;

/** Kind of a page: its path without ids, and the query parameters that choose its form. */
const kindOf = (address: string) => {
  const { pathname, searchParams } = new URL(address, "http://x");
  const path = pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27,}/g, "{id}");
  const asked = ["do", "kind", "form", "action", "mode", "edit", "source"].flatMap((name) =>
    searchParams.has(name) ? `${name}=${searchParams.get(name)}` : []
  );
  return `${path}?${asked.join("&")}`;
};

/** Addresses of pages with their forms, one of each kind, found by following links. */
async function pagesOf(
  page: Page,
  server: TestServer,
  isScript: boolean,
): Promise<Map<string, FilledForm[]>> {
  const pages = new Map<string, FilledForm[]>();
  const found = new Map<string, string>([[kindOf("/"), "/"]]);
  for (const address of ["/vms/new", "/backups/new", "/schedules/new"]) found.set(kindOf(address), address);
  for (const address of found.values()) {
    const response = await page.goto(server.url + address).catch((error) => {
      if (/Download is starting/.test(String(error))) return null; // no page, but a file to save
      throw error;
    });
    if (response === null) continue;
    assert.equal(response.status(), 200, address);
    if (isScript) await hydrated(page);
    pages.set(address, await page.evaluate(formsOf));
    const links = await page.evaluate(() => [...document.links].map(({ href }) => href));
    for (const href of links) {
      const url = URL.parse(href);
      if (url?.origin !== server.url || NOT_VISITED.test(url.pathname)) continue;
      const to = url.pathname + url.search, kind = kindOf(to);
      if (!found.has(kind) && found.size < 200) found.set(kind, to);
    }
  }
  return pages;
}

/** Result of a form that was filled in and sent. */
type Became = { readonly is: "empty" | "accepted" | "kept" } | {
  readonly is: "lost";
  readonly what: string[];
};

/** Whether a request sends a form: other calls only ask for data while it is filled in. */
const isSent = (sent: Response | Request) =>
  ("request" in sent ? sent.request() : sent).method() === "POST" &&
  !/\/(?:check|get|list|preview|find)_\w+$/.test(URL.parse(sent.url())!.pathname);

/**
 * Has a form sent.
 *
 * @param send says whether nothing more will be sent
 * @returns the answer, once the page that it may lead to is there; null where its own page refuses it
 */
async function sentWith(page: Page, send: () => Promise<boolean>): Promise<Response | null> {
  const answered = page.waitForResponse(isSent, { timeout: 3000 }).catch(() => null);
  const loaded = page.waitForEvent("load").catch(() => null);
  let isAsked = false;
  const notice = (request: Request) => isAsked ||= isSent(request);
  page.on("request", notice);
  // An answer may take the page away while it is asked
  const isOver = await send().catch(() => false);
  page.off("request", notice);
  const response = isOver && !isAsked ? null : await answered;
  if (response?.request().isNavigationRequest()) await loaded;
  return response;
}

/** Waits until what a page's own script does to it is drawn. */
const drawn = (page: Page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Fills the form of this number in and sends it. @throws {AssertionError} a secret came back */
async function tried(
  page: Page,
  number: number,
  { action, values }: FilledForm,
  isScript: boolean,
): Promise<Became> {
  const secrets = action.startsWith("/do/")
    ? Object.keys(values).filter((field) => isSecretOf(action, field))
    : OF_CLOUD_INIT;
  await page.evaluate(fill, { number, canary: CANARY, secrets });
  if (isScript) await drawn(page);
  const filled = (await page.evaluate(formsOf))[number];
  if (filled === undefined || Object.keys(filled.values).length === 0) return { is: "empty" };
  const response = await sentWith(page, () => page.evaluate(send, { number }));
  // A form that its own page refuses is not sent at all.
  const status = response?.status() ?? 400;
  if (status < 400) return { is: "accepted" };
  if (isScript) {
    await hydrated(page);
    await drawn(page);
  }
  const html = isScript ? "" : await response?.text() ?? "";
  assert.ok(!html.includes(CANARY), `${action}: a secret came back`);
  const wanted = Object.entries(filled.values).filter(([field]) =>
    !secrets.includes(field.slice(field.lastIndexOf(".") + 1))
  );
  const what =
    (await page.evaluate(formsOf)).map(({ values }) =>
      wanted.filter(([field, value]) => JSON.stringify(values[field]) !== JSON.stringify(value))
        .map(([field, value]) => `${field}: ${JSON.stringify(value)} → ${JSON.stringify(values[field])}`)
    ).sort((a, b) => a.length - b.length)[0] ?? ["there is no form"];
  return what.length === 0 ? { is: "kept" } : { is: "lost", what };
}

for (const isScript of [false, true]) {
  Deno.test({
    name: `every form that is refused ${isScript ? "with" : "without"} script comes back as it was filled in`,
    ignore,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using server = await startServer({ uri: "test:///default", logLevel: "error" });
      await asRoot(server, "create_user", { name: "bob", grants: [] });
      await asRoot(server, "create_role", { role: "janitor", permissions: ["vms.view"] });
      await using tester = await browser();
      const page = await tester.page({ javaScriptEnabled: isScript });
      const found: Record<Became["is"], string[]> = { empty: [], accepted: [], kept: [], lost: [] };
      const open = async (address: string) => {
        await page.goto(server.url + address);
        if (isScript) await hydrated(page);
      };
      for (const [address, forms] of await pagesOf(page, server, isScript)) {
        for (const [number, form] of forms.entries()) {
          if (
            OF_SHELL.test(form.action) || isScript && WITHOUT_SCRIPT.test(form.action) ||
            Object.keys(form.values).length === 0
          ) continue;
          await open(address);
          const became = await tried(page, number, form, isScript);
          const name = `${address} → ${form.action} (${Object.keys(form.values).join(" ")})`;
          found[became.is].push(became.is === "lost" ? `${name}\n    ${became.what.join("\n    ")}` : name);
        }
      }
      console.log(`${found.kept.length} forms kept; not refused:\n${found.accepted.join("\n")}`);
      assert.deepEqual(found.lost, [], found.lost.join("\n"));
      assert.ok(found.kept.length >= 75, `only ${found.kept.length} forms were tried`);
    },
  });
}
