import assert from "node:assert/strict";
import type { LibvirtLogin } from "./address.ts";
import { Connection } from "./connection.ts";
import { LibvirtError } from "./error.ts";
import { libvirtTest } from "./testing.ts";

/** A libvirt of the test driver that asks for a user and a password. */
const ASKING = `<node>
  <auth><user password="it's a sécret">ann</user></auth>
</node>`;

async function withAsking(run: (open: (login?: LibvirtLogin) => Connection) => void): Promise<void> {
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-auth-", suffix: ".xml" });
  try {
    await Deno.writeTextFile(file, ASKING);
    run((login) => Connection.open({ uri: `test://${file}`, ...(login && { login }) }));
  } finally {
    await Deno.remove(file);
  }
}

const failure = (open: () => Connection): LibvirtError => {
  try {
    open()[Symbol.dispose]();
  } catch (error) {
    assert.ok(error instanceof LibvirtError, String(error));
    return error;
  }
  throw new Error("it was let in");
};

libvirtTest("Connection.open() signs in as a user, as often as it is asked to", () =>
  withAsking((open) => {
    const login = { username: "ann", password: "it's a sécret" };
    for (let each = 0; each < 50; each++) {
      using connection = open(login);
      using another = connection.another();
      assert.ok(connection.alive && another.alive);
    }
  }));

libvirtTest(
  "Connection.open() tells a wrong password from one that is missing, and tells neither",
  () =>
    withAsking((open) => {
      for (
        const login of [{ username: "ann", password: "wrong-one" }, {
          username: "bob",
          password: "wrong-one",
        }]
      ) {
        const error = failure(() => open(login));
        assert.equal(error.signIn, "refused");
        assert.ok(!JSON.stringify(error.toFailure()).includes("wrong-one"));
      }
      assert.equal(failure(() => open()).signIn, "needed");
      assert.throws(() => open({ username: "ann", password: "a\0b" }), TypeError);
    }),
);

libvirtTest("Connection.open() has no failed sign-in where libvirt was not reached", () => {
  const login = { username: "ann", password: "x" };
  const gone = failure(() => Connection.open({ uri: "qemu+unix:///system?socket=/no/such/socket", login }));
  assert.equal(gone.signIn, undefined);
});
