/** Passkeys with a real browser and Chromium's virtual authenticator: added, used alone and as second factor, refused. */
import assert from "node:assert/strict";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import type { PasskeyAssertion } from "../../lib/contract/mod.ts";
import { browser, checkAccessibility, watchPage } from "../testbed/chromium.ts";
import { asRoot, Person } from "../testbed/people.ts";
import { refusal } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const PASSWORD = "correct horse battery";
const codeOf = async (asked: Promise<unknown>) => (await refusal(asked)).code;

/** A device with passkeys that says yes at once. */
async function device(context: BrowserContext, page: Page): Promise<{ cdp: CDPSession; id: string }> {
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  return { cdp, id: await addAuthenticator(cdp, true) };
}

/** @param verifies it asks who one is (a fingerprint, a PIN), and is content */
async function addAuthenticator(cdp: CDPSession, verifies: boolean): Promise<string> {
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: verifies,
      isUserVerified: verifies,
    },
  });
  return authenticatorId;
}

/** Somebody at the same server by another of its names. */
function at(server: TestServer, url: string): Person {
  const other = Object.create(server, { url: { value: url } }) as TestServer;
  return new Person(other, {});
}

browserTest("a passkey is added, signs in alone and with a password, and is removed", async (t) => {
  await using server = await startServer({ uri: "test:///default", logLevel: "info" });
  await using tester = await browser();
  await asRoot(server, "create_user", {
    name: "ann",
    password: PASSWORD,
    grants: [{ role: "viewer", on: { kind: "everything" } }],
  });
  const url = server.url.replace("127.0.0.1", "localhost");
  const account = `${url}/settings/account`;
  const context = await tester.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const watch = watchPage(page);
  let { cdp, id } = await device(context, page);
  /** The answers that the page sent. */
  const sent: { challenge?: string; assertion: PasskeyAssertion }[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/sign_in_with_passkey")) sent.push(request.postDataJSON());
  });
  const signOut = async () => {
    await page.goto("about:blank"); // a page that loses its session goes to the sign-in by itself
    await context.clearCookies();
  };
  const passwordStep = async () => {
    await page.goto(`${url}/sign-in?to=%2Fvms`);
    await page.fill("[name=name]", "ann");
    await page.fill("[name=password]", PASSWORD);
    await page.click("button[type=submit]");
  };
  const passkeyButton = ".passkey-sign-in button";
  const aloneFrom = async () => {
    await signOut();
    await page.goto(`${url}/sign-in?to=%2Fvms`);
    await page.click(passkeyButton);
  };
  const nobody = at(server, url);
  let recovery: string[] = [];
  try {
    await t.step("added with the password once more; recovery codes are shown once", async () => {
      await passwordStep();
      await page.waitForURL(`${url}/vms`);
      await page.goto(account);
      const form = page.locator("form:has(button:text('Add a passkey'))");
      await form.locator("[name=name]").fill("laptop");
      await form.locator("[name=password]").fill("not the password");
      await form.locator("button").click();
      await waitForText(page, "[role=alert]", "wrong");
      await form.locator("[name=password]").fill(PASSWORD);
      await form.locator("button").click();
      await page.locator(".recovery-codes li").first().waitFor();
      recovery = await page.locator(".recovery-codes li").allInnerTexts();
      assert.equal(recovery.length, 10);
      await page.click("text=I have kept them");
      await waitForText(page, "main [role=status]", "was added.");
      await waitForText(page, ".passkeys strong", "laptop");
      const [user] = (await asRoot(server, "list_users", {})).filter(({ name }) => name === "ann");
      assert.deepEqual([user?.secondFactor, user?.passkeys, user?.oneTimeCodes], [true, 1, false]);
    });
    await t.step("the same device is not added twice", async () => {
      const form = page.locator("form:has(button:text('Add a passkey'))");
      await form.locator("[name=name]").fill("again");
      await form.locator("[name=password]").fill(PASSWORD);
      await form.locator("button").click();
      await waitForText(page, "[role=alert]", "already");
    });
    await t.step("alone it signs in: the device has asked who it is", async () => {
      await aloneFrom();
      await page.waitForURL(`${url}/vms`);
      const [audit] = await asRoot(server, "get_audit_log", { action: "sign_in_with_passkey" });
      assert.deepEqual([audit?.actor, audit?.result], ["ann", "ok"]);
      assert.ok(!audit?.input?.includes(sent.at(-1)!.assertion.signature));
    });
    await t.step("after the password it is the second factor; a recovery code is, too", async () => {
      await signOut();
      await passwordStep();
      await waitForText(page, "p", "your passkey, or a code");
      await page.click(passkeyButton);
      await page.waitForURL(`${url}/vms`);
      await signOut();
      await passwordStep();
      await page.fill("[name=code]", recovery[0]!);
      await page.click("button[type=submit]");
      await page.waitForURL(`${url}/vms`);
    });
    await t.step(
      "no answer is good twice, nor for another purpose, nor at another of its names",
      async () => {
        for (const each of sent) {
          const expected = each.challenge === undefined ? "SignInFailed" : "SignInExpired";
          assert.equal(await codeOf(nobody.call("sign_in_with_passkey", each)), expected);
        }
        // Answers that are not sent by the page, but kept.
        const kept: PasskeyAssertion[] = [];
        await context.route("**/sign_in_with_passkey", async (route) => {
          kept.push(route.request().postDataJSON().assertion);
          await route.abort();
        });
        for (let count = 0; count < 3; count++) {
          await aloneFrom();
          await waitForText(page, "[role=alert]", "does not answer");
        }
        await context.unroute("**/sign_in_with_passkey");
        watch.all().length = 0;
        const [first, second, third] = kept as [PasskeyAssertion, PasskeyAssertion, PasskeyAssertion];
        const { challenge } = await nobody.call("sign_in", { name: "ann", password: PASSWORD });
        assert.equal(
          await codeOf(nobody.call("sign_in_with_passkey", { challenge: challenge!, assertion: first })),
          "SignInFailed",
          "asked for alone, given as the second factor",
        );
        assert.equal(
          await codeOf(new Person(server, {}).call("sign_in_with_passkey", { assertion: second })),
          "SignInFailed",
          "at the address instead of the name",
        );
        const broken = { ...third, signature: third.signature.slice(0, -6) + "AAAAAA" };
        assert.equal(
          await codeOf(nobody.call("sign_in_with_passkey", { assertion: broken })),
          "SignInFailed",
        );
        assert.equal(
          await codeOf(nobody.call("sign_in_with_passkey", { assertion: third })),
          "SignInFailed",
          "the wrong try has used it up",
        );
      },
    );
    await t.step(
      "a device that does not ask who it is opens nothing alone, but is a second factor",
      async () => {
        const { credentials: [key] } = await cdp.send("WebAuthn.getCredentials", { authenticatorId: id });
        await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: id });
        const plain = await addAuthenticator(cdp, false);
        await cdp.send("WebAuthn.addCredential", { authenticatorId: plain, credential: key! });
        await aloneFrom();
        await page.locator("[role=alert]").waitFor();
        await passwordStep();
        await page.click(passkeyButton);
        await page.waitForURL(`${url}/vms`);
        const { credentials: [used] } = await cdp.send("WebAuthn.getCredentials", { authenticatorId: plain });
        await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: plain });
        id = await addAuthenticator(cdp, true);
        await cdp.send("WebAuthn.addCredential", { authenticatorId: id, credential: used! });
      },
    );
    await t.step("a copied key shows by its counter, and is refused", async () => {
      const { credentials: [key] } = await cdp.send("WebAuthn.getCredentials", { authenticatorId: id });
      await cdp.send("WebAuthn.clearCredentials", { authenticatorId: id });
      await cdp.send("WebAuthn.addCredential", {
        authenticatorId: id,
        credential: { ...key!, signCount: 0 },
      });
      await aloneFrom();
      await waitForText(page, "[role=alert]", "wrong");
      assert.match(server.log(), /a passkey was refused/);
      await cdp.send("WebAuthn.clearCredentials", { authenticatorId: id });
      await cdp.send("WebAuthn.addCredential", {
        authenticatorId: id,
        credential: { ...key!, signCount: 99 },
      });
    });
    await t.step("disabled accounts stay out", async () => {
      const [{ id: userId } = { id: "" }] = (await asRoot(server, "list_users", {})).filter(({ name }) =>
        name === "ann"
      );
      await asRoot(server, "update_user", { userId, disabled: true });
      await aloneFrom();
      await waitForText(page, "[role=alert]", "wrong");
      await asRoot(server, "update_user", { userId, disabled: false });
    });
    await t.step(
      "it stands in for the password where that is asked once more, and for nothing else",
      async () => {
        await aloneFrom();
        await page.waitForURL(`${url}/vms`);
        const used = sent.at(-1)!.assertion;
        let confirming: PasskeyAssertion | undefined;
        page.on("request", (request) => {
          if (request.url().endsWith("/reauthenticate")) confirming = request.postDataJSON().assertion;
        });
        await page.goto(`${url}/settings/tokens`);
        await page.fill("[name=name]", "by passkey");
        await page.click("button:text('Confirm with a passkey')");
        await waitForText(page, "form:has([name=days]) [role=status]", "Confirmed");
        assert.equal(await page.inputValue("[name=name]"), "by passkey", "what was typed before stays");
        await page.click("form:has([name=days]) button[type=submit]");
        assert.match(await page.locator("code.secret").innerText(), /^kvmm_/);
        const [{ name, value } = { name: "", value: "" }] = (await context.cookies()).filter(({ name }) =>
          /^kvmm-\d+$/.test(name)
        );
        const ann = new Person(Object.create(server, { url: { value: url } }), {
          cookie: `${name}=${value}`,
        });
        for (const assertion of [used, confirming!]) {
          assert.equal(await codeOf(ann.call("reauthenticate", { assertion })), "SignInFailed");
        }
        assert.equal(
          await codeOf(nobody.call("sign_in_with_passkey", { assertion: confirming! })),
          "SignInFailed",
        );
      },
    );
    await t.step("renamed and removed on the page; then the password is enough again", async () => {
      await aloneFrom();
      await page.waitForURL(`${url}/vms`);
      await page.goto(account);
      await page.click("summary:text('Change')");
      await page.fill(".passkey-form [name=name]", "key ring");
      await page.click("form[action*='/do/rename_passkey'] button");
      await waitForText(page, ".passkeys strong", "key ring");
      await page.click("summary:text('Change')");
      await page.fill(".passkey-form [name=password]", PASSWORD);
      await page.click("form[action*='/do/remove_passkey'] button");
      await waitForText(page, "[role=status]", "removed");
      assert.equal((await nobody.call("sign_in", { name: "ann", password: PASSWORD })).state, "signed-in");
      await aloneFrom();
      await page.locator("[role=alert]").waitFor();
    });
    await t.step("by an address there are no passkeys, and the page says why", async () => {
      assert.equal(
        await codeOf(new Person(server, {}).call("begin_passkey_sign_in", {})),
        "PasskeyNeedsName",
      );
      await page.goto(`${server.url}/sign-in`);
      await page.locator("[name=password]").waitFor();
      await becomes(() => page.locator(passkeyButton).count(), 0);
    });
    // The browser reports every answer that is an error; there are many here, each on purpose.
    assert.deepEqual(watch.all().filter((text) => !/status of 40|Failed to load/.test(text)), []);
  } finally {
    await context.close();
  }
});

browserTest("the pages with passkeys read well in both themes, wide and on a phone", async () => {
  await using server = await startServer({ uri: "test:///default", logLevel: "info" });
  await using tester = await browser();
  await asRoot(server, "create_user", { name: "ann", password: PASSWORD, grants: [] });
  const url = server.url.replace("127.0.0.1", "localhost");
  for (
    const view of [
      { colorScheme: "dark" as const },
      { colorScheme: "light" as const },
      PHONE,
      { ...PHONE, colorScheme: "dark" as const },
    ]
  ) {
    const context = await tester.newContext(view);
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const check = async (what: string) => {
      await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
      assert.deepEqual(await checkAccessibility(page), [], what);
      assert.equal(await overflows(page), false, what);
      await page.bringToFront(); // a device answers only a page that is looked at
      const folder = Deno.env.get("KVMM_SHOTS");
      if (folder) {
        await page.screenshot({
          path: `${folder}/${what}-${JSON.stringify(view).length}.png`,
          fullPage: true,
        });
      }
    };
    await page.goto(`${url}/sign-in`);
    await page.locator(".passkey-sign-in button").waitFor();
    await check("sign-in");
    await page.fill("[name=name]", "ann");
    await page.fill("[name=password]", PASSWORD);
    await page.click("button[type=submit]");
    await page.waitForURL(`${url}/`);
    await page.goto(`${url}/settings/account`);
    await device(context, page);
    const form = page.locator("form:has(button:text('Add a passkey'))");
    await form.locator("[name=name]").fill("laptop");
    await form.locator("[name=password]").fill(PASSWORD);
    await form.locator("button").click();
    await page.locator(".recovery-codes").waitFor();
    await check("recovery");
    await page.click("text=I have kept them");
    await page.click("summary:text('Change')");
    await check("account");
    await context.clearCookies();
    await page.goto(`${url}/sign-in`);
    await page.fill("[name=name]", "ann");
    await page.fill("[name=password]", PASSWORD);
    await page.click("button[type=submit]");
    await page.locator(".passkey-sign-in button").waitFor();
    await check("second-factor");
    const { id: userId } = (await asRoot(server, "list_users", {})).find(({ name }) => name === "ann")!;
    await asRoot(server, "reset_second_factor", { userId });
    await context.close();
  }
});
