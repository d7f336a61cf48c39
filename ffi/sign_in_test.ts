import assert from "node:assert/strict";
import type { LibvirtLogin } from "./address.ts";
import { Connection } from "./connection.ts";
import { LibvirtError } from "./error.ts";
import { SignInAnswers } from "./sign_in_answers.ts";
import { allowSignIn, newSignIns } from "./sign_in_turns.ts";
import { libvirtTest } from "./testing.ts";

const PASSWORD = "it's a sécret";
/** A libvirt of the test driver that asks for a user and a password. */
const ASKING = `<node>
  <auth><user password="${PASSWORD}">ann</user></auth>
</node>`;

/** Answers that are still given: connections are opened again with them. */
const given = new Set<SignInAnswers>();

function addressOf(uri: string, login?: LibvirtLogin, cells?: Int32Array<SharedArrayBuffer>) {
  if (login === undefined) return { uri };
  const answers = new SignInAnswers(login, cells);
  given.add(answers);
  return { uri, signIn: answers.signIn };
}

async function withAsking(
  run: (open: (login?: LibvirtLogin) => Connection, uri: string) => void,
): Promise<void> {
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-auth-", suffix: ".xml" });
  try {
    await Deno.writeTextFile(file, ASKING);
    const uri = `test://${file}`;
    run((login) => Connection.open(addressOf(uri, login)), uri);
  } finally {
    for (const answers of given) answers[Symbol.dispose]();
    given.clear();
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
    const login = { username: "ann", password: PASSWORD };
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
  const gone = failure(() => Connection.open(addressOf("qemu+unix:///system?socket=/no/such/socket", login)));
  assert.equal(gone.signIn, undefined);
  for (const answers of given) answers[Symbol.dispose]();
  given.clear();
});

libvirtTest(
  "Connection.open() does not try a password again that was refused, until it may",
  () =>
    withAsking((open, uri) => {
      const signIns = newSignIns(), right = { username: "ann", password: PASSWORD };
      const openAs = (login: LibvirtLogin) => Connection.open(addressOf(uri, login, signIns));
      openAs(right)[Symbol.dispose]();
      assert.match(
        failure(() => openAs({ ...right, password: "x" })).message,
        /see test XML|authentication failed/,
      );
      const again = failure(() => openAs(right));
      assert.deepEqual([again.signIn, again.message], [
        "refused",
        "the user or the password was refused a moment ago",
      ]);
      allowSignIn(signIns);
      openAs(right)[Symbol.dispose]();
      open(right)[Symbol.dispose]();
    }),
);

libvirtTest(
  "Connection.open() waits for another that signs in, but not for ever",
  () =>
    withAsking((_open, uri) => {
      const signIns = newSignIns();
      Atomics.store(signIns, 0, 1); // a thread that has ended in the middle
      const began = performance.now();
      Connection.open(addressOf(uri, { username: "ann", password: PASSWORD }, signIns))[Symbol.dispose]();
      assert.ok(performance.now() - began > 1500);
      assert.equal(Atomics.load(signIns, 0), 0);
    }),
);
