/** Forms without script that are refused with a password in them: it is not sent back, and its field says so. */
import assert from "node:assert/strict";
import { formHref } from "../../lib/text/form_href.ts";
import { testMachine } from "../testbed/machine.ts";
import { asRoot, type Person, signedIn } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;
const PASSWORD = "correct horse battery staple";
/** Password typed into the forms: no user has it, or it is too short. */
const TYPED = "geheim-42";
const AGAIN = "Enter it again: KVM Manager does not send secrets back.";

/** Sends a page's form, as a browser without script does. */
async function submit(person: Person, path: string, fields: Readonly<Record<string, string>>) {
  const response = await person.fetch(path, {
    method: "POST",
    headers: { origin: person.server.url, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams(fields),
  });
  return { status: response.status, html: await response.text() };
}

/** Names of the fields that say that what was typed is to be typed again. */
function told(html: string): string[] {
  return [...html.matchAll(/<input([^>]*)>/g)].flatMap(([, attributes = ""]) => {
    const [, name] = /\bname="([^"]*)"/.exec(attributes) ?? [];
    const [, ids = ""] = /\baria-describedby="([^"]*)"/.exec(attributes) ?? [];
    const texts = ids.split(" ").map((id) => new RegExp(`<p[^>]*id="${id}"[^>]*>([^<]*)<`).exec(html)?.[1]);
    return name !== undefined && texts.includes(AGAIN) ? [name] : [];
  });
}

Deno.test({
  name: "a refused form says at each password's field that it is to be typed again, and never holds it",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("again");
    await using vm = await testMachine({ purpose: "again", guest: false });
    await known(server, vm.uuid);
    await asRoot(server, "create_user", {
      name: "ann",
      password: PASSWORD,
      grants: [{ role: "administrator", on: { kind: "everything" } }],
    });
    const ann = await signedIn(server, "ann", PASSWORD);
    // Otherwise each form that changes who can come in leads to the page that asks for the password first.
    await ann.call("reauthenticate", { password: PASSWORD });
    const { id: userId } = await asRoot(server, "create_user", { name: "bob", grants: [] });
    const cloud = `/vms/${vm.uuid}/cloud-init`;
    const user = (n: number, name: string, password: string) => ({
      [`ci.form.users.${n}.name`]: name,
      [`ci.form.users.${n}.password`]: password,
      [`ci.form.users.${n}.sudo`]: "none",
    });
    const cases: Readonly<
      Record<string, { path: string; fields: Record<string, string>; again: string[]; kept?: string[] }>
    > = {
      "a new user": {
        path: "/settings/users",
        fields: { name: "eve", display: "Eve", password: TYPED },
        again: ["password"],
        kept: ["eve", "Eve"],
      },
      "a new user without a password": {
        path: "/settings/users",
        fields: { name: "Not A Name", display: "Eve", password: "" },
        again: [],
        kept: ["Not A Name"],
      },
      "another's password": {
        path: formHref("update_user", { userId }, `/settings/users/${userId}`),
        fields: { password: TYPED, revokeTokens: "no" },
        again: ["password"],
      },
      "one's own password": {
        path: formHref("set_password", {}, "/settings/account"),
        fields: { current: TYPED, password: `${TYPED}-${TYPED}` },
        again: ["current", "password"],
      },
      "an encrypted volume": {
        path: formHref(
          "create_volume",
          { pool: pool.name },
          `/storage/${pool.name}`,
          `/storage/${pool.name}?do=create_volume`,
        ),
        fields: {
          name: "a b",
          "capacityBytes:G": "900000",
          format: "raw",
          preallocation: "off",
          "encryption.passphrase": TYPED,
        },
        again: ["encryption.passphrase"],
        kept: ["a b"],
      },
      "users of cloud-init": {
        path: cloud,
        fields: {
          action: "save",
          "ci.mode": "form",
          "ci.form.hostname": "not a host name",
          ...user(0, "carl", TYPED),
          ...user(1, "dora", ""),
          ...user(2, "emil", TYPED),
        },
        again: ["ci.form.users.0.password", "ci.form.users.2.password"],
        kept: ["carl", "dora", "emil", "not a host name"],
      },
    };
    for (const [name, { path, fields, again, kept = [] }] of Object.entries(cases)) {
      await t.step(name, async () => {
        const { status, html } = await submit(ann, path, fields);
        assert.ok(status < 500 && status !== 303, `${status} ${html.slice(0, 300)}`);
        assert.deepEqual(told(html), again);
        assert.equal(html.includes(TYPED), false, "the password is in the page");
        for (const value of kept) assert.ok(html.includes(`value="${value}"`), value);
      });
    }
    await t.step("signing in", async () => {
      const { html } = await submit(ann, "/sign-in", { to: "/", name: "ann", password: TYPED });
      assert.deepEqual(told(html), ["password"]);
      assert.equal(html.includes(TYPED), false);
    });
  },
});
