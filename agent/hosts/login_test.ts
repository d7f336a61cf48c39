import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { isSameLogin, loginAfter } from "./login.ts";

const URI = "qemu+tls://kvm2/system", OTHER = "qemu+tls://kvm3/system";
const LOGIN = { username: "ann", password: "old", since: 1 };
const KEPT = { uri: URI, login: LOGIN }, NONE = { uri: URI };

Deno.test("loginAfter() keeps what a call leaves out, and takes what it gives", () => {
  assert.equal(loginAfter(NONE, URI, {}, 2), undefined);
  assert.equal(loginAfter(NONE, URI, { username: "" }, 2), undefined);
  const given = { username: "ann", userPassword: "new" };
  assert.deepEqual(loginAfter(NONE, URI, given, 2), { username: "ann", password: "new", since: 2 });
  assert.equal(loginAfter(KEPT, URI, {}, 2), LOGIN);
  assert.equal(loginAfter(KEPT, URI, { username: "ann" }, 2), LOGIN);
  assert.deepEqual(loginAfter(KEPT, OTHER, { userPassword: "new" }, 2), {
    ...LOGIN,
    password: "new",
    since: 2,
  });
  assert.equal(loginAfter(KEPT, OTHER, { username: "" }, 2), undefined);
});

Deno.test("loginAfter() sends no password to another libvirt or as another user, and takes no half", () => {
  const refused = (run: () => unknown, reason: RegExp) =>
    assert.throws(
      run,
      (error) =>
        error instanceof ContractError && error.code === "InvalidInput" && reason.test(error.message),
    );
  refused(() => loginAfter(KEPT, OTHER, {}, 2), /userPassword must be given again: the connection/);
  refused(() => loginAfter(KEPT, URI, { username: "bob" }, 2), /userPassword must be given again: the user/);
  refused(() => loginAfter(NONE, URI, { username: "ann" }, 2), /userPassword is missing/);
  refused(() => loginAfter(NONE, URI, { userPassword: "x" }, 2), /username is missing/);
  refused(() => loginAfter(KEPT, URI, { username: "", userPassword: "x" }, 2), /username is missing/);
});

Deno.test("isSameLogin() looks at the user and the password", () => {
  assert.ok(isSameLogin(LOGIN, { ...LOGIN, since: 9 } as typeof LOGIN));
  assert.ok(isSameLogin(undefined, undefined));
  assert.ok(!isSameLogin(LOGIN, undefined));
  assert.ok(!isSameLogin(LOGIN, { ...LOGIN, password: "x" }));
});
