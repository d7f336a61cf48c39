import assert from "node:assert/strict";
import { setLogLevel } from "../../log.ts";
import { ScreenPasswords } from "./passwords.ts";

setLogLevel("error");

/** A host of made-up VMs, whose calls fail as often as told. */
function host(active: readonly string[], failures = 0) {
  const called: [string, boolean][] = [];
  let left = failures;
  const passwords = new ScreenPasswords(
    {
      call: ((_name: string, { uuid, restored }: { uuid: string; restored: boolean }) => {
        called.push([uuid, restored]);
        return left-- > 0 ? Promise.reject(new Error("busy")) : Promise.resolve(1);
      }) as never,
    },
    {
      active: () => [...active],
      record:
        ((vmId: string) =>
          active.includes(vmId) ? { summary: { generatedPasswords: vmId !== "own" } } : undefined) as never,
    },
  );
  return { passwords, called };
}

Deno.test("ScreenPasswords.renewAll() looks at running VMs with generated passwords, each once", async () => {
  const { passwords, called } = host(["a", "own", "b"]);
  await passwords.renewAll();
  assert.deepEqual(called, [["a", false], ["b", false]]);
  await passwords.renewDue();
  assert.equal(called.length, 2);
});

Deno.test("ScreenPasswords.onStart() is tried again after a failure, but not without end", async () => {
  const once = host(["a"], 1);
  once.passwords.onStart("a", true);
  await once.passwords.renewDue();
  await once.passwords.renewDue();
  await once.passwords.renewDue();
  assert.deepEqual(once.called, [["a", true], ["a", true]]);
  const never = host(["a"], Infinity);
  never.passwords.onStart("a", false);
  for (let n = 0; n < 20; n++) await never.passwords.renewDue();
  assert.equal(never.called.length, 5);
  const gone = host([], Infinity);
  gone.passwords.onStart("a", false);
  for (let n = 0; n < 20; n++) await gone.passwords.renewDue();
  assert.equal(gone.called.length, 1);
});
