import assert from "node:assert/strict";
import { ContractError } from "../../../../lib/contract/mod.ts";
import { ForeignLogins, requirePassword } from "./logins.ts";

const ESXI = { kind: "esxi", origin: "esxi1" } as const, ANN = { name: "ann" }, NED = { name: "ned" };

Deno.test("ForeignLogins keep a sign-in for one person, one server and a while", () => {
  let now = 0;
  const logins = new ForeignLogins({ now: () => now });
  const given = logins.of({ ...ESXI, username: "root", password: "secret" }, ANN);
  assert.equal(logins.of(ESXI, ANN).password, undefined, "kept once the server has let it in");
  logins.keep(ESXI, ANN, given);
  assert.deepEqual(logins.of(ESXI, ANN), { username: "root", password: "secret" });
  assert.equal(logins.of(ESXI, NED).password, undefined);
  assert.equal(logins.of({ ...ESXI, origin: "esxi2" }, ANN).password, undefined);
  assert.equal(logins.of({ ...ESXI, username: "eve" }, ANN).password, undefined);
  now += 14 * 60_000;
  assert.equal(logins.of(ESXI, ANN).password, "secret");
  now += 15 * 60_000;
  assert.equal(logins.of(ESXI, ANN).password, undefined);
});

Deno.test("ForeignLogins forget what the server refuses, and fill an import in", () => {
  const logins = new ForeignLogins({ now: () => 0 });
  logins.keep(ESXI, ANN, { username: "root", password: "secret" });
  assert.deepEqual(logins.filled({ ...ESXI, vm: "web" }, ANN), {
    ...ESXI,
    vm: "web",
    username: "root",
    password: "secret",
  });
  const folder = { kind: "vmx", origin: "/srv" } as const;
  assert.equal(logins.filled(folder, ANN), folder);
  logins.forget(ESXI, ANN);
  assert.throws(() => requirePassword(logins.of(ESXI, ANN)), ContractError);
});
