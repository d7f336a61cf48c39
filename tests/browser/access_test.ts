/** Getting in with a real browser: from the first start to signed in, one-time codes, the settings' pages. */
import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { OWN_PASSWORD } from "../../lib/access/forms.ts";
import { codeAt, stepOf } from "../../agent/access/totp.ts";
import { browser, checkAccessibility, watchPage } from "../testbed/chromium.ts";
import { asRoot } from "../testbed/people.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const VISITORS_PASSWORD = "one bed for every machine";
const PASSWORD = "correct horse battery";
const VIEWS: BrowserContextOptions[] = [{ colorScheme: "dark" }, { colorScheme: "light" }, {
  ...PHONE,
  colorScheme: "dark",
}, PHONE];
const plainServer = () => startServer({ uri: "test:///default", logLevel: "info" });
/** The one-time link of the start. */
const setupLink = (server: TestServer) =>
  until("the setup link", () => Promise.resolve(/http:\S+\/setup\?key=\S+/.exec(server.log())?.[0]), {
    seconds: 5,
  });

async function fill(page: Page, fields: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.fill(`[name="${name}"]`, value);
}

browserTest("from the first start to signed in, out, and in again with a one-time code", async (t) => {
  await using server = await plainServer();
  await using tester = await browser();
  for (const javaScriptEnabled of [true, false]) {
    const context = await tester.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    const watch = watchPage(page);
    const name = javaScriptEnabled ? "ann" : "bob";
    let secret = "";
    try {
      if (javaScriptEnabled) {
        await t.step("without users there is no form, but instructions", async () => {
          await page.goto(`${server.url}/sign-in`);
          await waitForText(page, "h1", "No user can sign in yet");
          await waitForText(page, "code", "kvm-manager setup-link");
          await becomes(() => page.locator("input").count(), 0);
        });
      }
      await t.step(`setup, ${javaScriptEnabled ? "with" : "without"} script`, async () => {
        const link = javaScriptEnabled
          ? await setupLink(server)
          : (await asRoot(server, "create_setup_link", {})).url;
        await page.goto(link);
        if (javaScriptEnabled) {
          await page.getByRole("button", { name: "Show password" }).waitFor();
          await fill(page, { name: "Not A Name", password: "short" });
          await page.click("button[type=submit]");
          await waitForText(page, ".form-error", "Not in the expected format.");
          assert.equal(await page.locator(":focus").getAttribute("name"), "name");
          await waitForText(page, ".form-error", "At least 12 characters.");
          await fill(page, { name });
          await becomes(() => page.locator(".form-error").count(), 1);
          assert.equal(await page.locator("[name=password]").getAttribute("aria-invalid"), "true");
        }
        await fill(page, { name, password: PASSWORD });
        const typed = page.locator("[name=password]"),
          show = page.getByRole("button", { name: "Show password" });
        if (javaScriptEnabled) {
          await show.click();
          assert.equal(await typed.getAttribute("type"), "text");
          await page.getByRole("button", { name: "Hide password" }).click();
        } else await becomes(() => show.count(), 0);
        assert.deepEqual([await typed.getAttribute("type"), await typed.inputValue()], [
          "password",
          PASSWORD,
        ]);
        await page.click("button[type=submit]");
        await page.waitForURL(`${server.url}/`);
        await waitForText(page, "h1", /./);
      });
      await t.step("one-time codes: the code is drawn, recovery codes are shown once", async () => {
        await page.goto(`${server.url}/settings/account`);
        await page.click("button[value=totp]");
        await page.locator("svg.qr").waitFor();
        secret = await page.locator("code.secret").innerText();
        await page.fill("[name=code]", codeAt(secret, stepOf(Date.now()) - 1));
        await page.fill("form.totp [name=password]", PASSWORD);
        await page.click("button[value=totp-confirm]");
        await becomes(() => page.locator(".recovery-codes li").count(), 10);
        await page.goto(`${server.url}/settings/account`);
        await becomes(() => page.locator(".recovery-codes").count(), 0);
      });
      await t.step("sign-out ends it; a page asked for leads to the sign-in and back", async () => {
        await page.click("[popovertarget=user-menu]");
        await page.click("form[action='/sign-out'] button");
        await page.waitForURL(`${server.url}/sign-in`);
        await page.goto(`${server.url}/vms?sort=name`);
        assert.match(page.url(), /\/sign-in\?to=%2Fvms%3Fsort%3Dname$/);
        await fill(page, { name, password: PASSWORD });
        await page.click("button[type=submit]");
        await page.fill("[name=code]", codeAt(secret, stepOf(Date.now())));
        await page.click("button[type=submit]");
        await page.waitForURL(`${server.url}/vms?sort=name`);
      });
      assert.deepEqual(watch.all(), []);
    } finally {
      await context.close();
    }
  }
});

browserTest("a session that is revoked takes the open page to the sign-in at once", async () => {
  await using server = await plainServer();
  await using tester = await browser();
  const page = await tester.page();
  const streamed = page.waitForResponse(/\/api\/v1\/events/);
  await page.goto(`${server.url}/vms`);
  await streamed;
  const sessions = await asRoot(server, "list_sessions", { all: true });
  for (const { id } of sessions) await asRoot(server, "revoke_session", { sessionId: id });
  await page.waitForURL(/\/sign-in\?to=%2Fvms$/, { timeout: 90_000 });
  await page.context().close();
});

browserTest("the pages of access read well in both themes, wide and on a phone", async (t) => {
  await using server = await plainServer();
  await using tester = await browser();
  await asRoot(server, "create_role", { role: "janitor", permissions: ["vms.view", "vms.delete"] });
  const hostile = `<img src=x onerror=alert(1)>"'&`;
  const { id } = await asRoot(server, "create_user", {
    name: "hostile",
    displayName: hostile,
    password: PASSWORD,
    grants: [{ role: "janitor", on: { kind: "group", group: hostile } }],
  });
  const pages = [
    "account",
    "tokens",
    "sessions",
    "users",
    `users/${id}`,
    "roles",
    "audit",
    "certificate",
  ];
  for (const size of [{}, PHONE]) {
    await t.step(`signed in, ${size === PHONE ? "on a phone" : "wide"}`, async () => {
      for (const path of pages) {
        await visit(tester, `${server.url}/settings/${path}`, async (page) => {
          await waitForText(page, "h1", /./);
          assert.equal(await overflows(page), false, path);
        }, { ...size, accessible: "in both themes" });
      }
    });
  }
  for (const [index, view] of VIEWS.entries()) {
    await t.step(`not signed in, view ${index}`, async () => {
      const context = await tester.newContext(view);
      const page = await context.newPage();
      for (
        const path of [
          "/sign-in",
          "/setup?key=x",
          await setupLink(server).then((link) => new URL(link).pathname + new URL(link).search),
        ]
      ) {
        await page.goto(server.url + path);
        // Colours move into place while the styles come.
        await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
        assert.deepEqual(await checkAccessibility(page), [], path);
        assert.equal(await overflows(page), false, path);
      }
      await context.close();
    });
  }
});

browserTest(
  "roles are a matrix: what each may, by noun; on a phone the roles scroll and nothing else",
  async () => {
    await using server = await plainServer();
    await using tester = await browser();
    await asRoot(server, "create_role", { role: "web-team", permissions: ["vms.view", "vms.operate"] });
    for (const size of [{}, PHONE]) {
      await visit(tester, `${server.url}/settings/roles`, async (page) => {
        const table = page.locator(".role-matrix");
        assert.deepEqual(await table.locator("thead th").allInnerTexts(), [
          ...["Permission", "viewer", "operator", "administrator", "web-team"],
        ]);
        assert.equal(await table.locator(".role-group").first().innerText(), "VMs");
        const held = (permission: string) =>
          table.locator(`[data-permission='${permission}'] td`).allTextContents();
        assert.deepEqual(await held("vms.operate"), ["–", "Yes", "Yes", "Yes"]);
        assert.deepEqual(await held("users.administer"), ["–", "–", "Yes", "–"]);
        await page.getByRole("group", { name: "Storage" }).getByLabel("See storage pools and volumes")
          .waitFor();
        // The heading of a row stays in sight next to the last role
        const last = table.locator("thead th").last();
        await last.scrollIntoViewIfNeeded();
        const name = await table.locator("[data-permission='vms.view'] th").boundingBox();
        assert.ok(name !== null && name.x >= 0);
        assert.ok((await last.boundingBox())!.x >= name.x + name.width - 1);
        assert.equal(await overflows(page), false);
      }, size);
    }
  },
);

browserTest("users, roles and tokens are made, changed and removed on the pages", async () => {
  await using server = await plainServer();
  await using tester = await browser();
  await visit(tester, `${server.url}/settings/users`, async (page) => {
    // An unattended session cannot change users: the password comes first, and holds for a while.
    await fill(page, { name: "carl", password: PASSWORD, [OWN_PASSWORD]: VISITORS_PASSWORD });
    await page.selectOption("[name=role]", "operator");
    await page.click("form:has([name=name]) button[type=submit]");
    await waitForText(page, "tbody", "carl");
    await page.click("tbody a:text-is('carl')");
    await page.click("form[action*='grants='] button");
    await waitForText(page, "[role=status]", "Saved");
    await page.check("[type=checkbox][name=disabled]");
    await page.click("form:has([name=displayName]) button[type=submit]");
    await waitForText(page, "[role=status]", "Saved");
    const carl = (await asRoot(server, "list_users", {})).find(({ name }) => name === "carl")!;
    assert.deepEqual([carl.grants, carl.disabled], [[], true]);
    await page.click("main summary");
    await page.click("form[action*='/do/delete_user'] button");
    await waitForText(page, "[role=status]", "The user carl was deleted");
    await page.goto(`${server.url}/settings/tokens`);
    await fill(page, { name: "ci" }); // confirmed still
    await page.click("form:has([name=days]) button[type=submit]");
    const token = await page.locator("code.secret").innerText();
    assert.match(token, /^kvmm_/);
    await page.goto(`${server.url}/settings/tokens`);
    assert.ok(!(await page.content()).includes(token), "shown once");
    await page.click("tr:has-text('ci') form[action*='/do/revoke_token'] button");
    await waitForText(page, "[role=status]", "The token ci was revoked");
    await page.goto(`${server.url}/settings/audit?action=create_user`);
    await waitForText(page, "tbody", "User created");
    const details = page.locator(".row-more").first();
    assert.equal(await details.isVisible(), false);
    await page.locator("summary[aria-label^='Details: ']").first().click();
    await details.getByText("create_user", { exact: true }).waitFor();
    for (const text of ["Arguments", "name", "127.0.0.1", "(not recorded)"]) {
      await details.getByText(text, { exact: true }).first().waitFor();
    }
    // Each filter can be taken away for itself
    await page.goto(`${server.url}/settings/audit?action=create_user&result=ok&text=nobody-has-this`);
    await waitForText(page, ".panel", "Nothing matches.");
    await page.getByRole("link", { name: "Remove the filter Text: nobody-has-this" }).click();
    await page.waitForURL(/action=create_user&result=ok$/);
    await page.getByRole("link", { name: "Remove the filter Result: Done" }).click();
    await page.getByRole("link", { name: "Remove the filter Action: User created" }).click();
    await page.waitForURL(/settings\/audit$/);
    await page.getByLabel("Action", { exact: true }).selectOption({ label: "User created" });
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.waitForURL(/action=create_user/);
  });
});
