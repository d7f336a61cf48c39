import assert from "node:assert/strict";
import { setLogLevel } from "../../log.ts";
import { ScreenPasswords } from "./passwords.ts";

setLogLevel("error");

/** Whether VMs are on, or off with a screen that is open. */
const ON = { state: 1, openScreen: false }, OPEN = { state: 5, openScreen: true };

/** A host of made-up VMs, whose calls fail as often as told. */
function host(
  active: readonly string[],
  failures = 0,
  off: readonly string[] = [],
  open: readonly string[] = [],
) {
  const states = new Map([
    ...active.map((id) => [id, ON] as const),
    ...off.map((id) => [id, { ...OPEN, openScreen: false }] as const),
    ...open.map((id) => [id, OPEN] as const),
  ]);
  const called: [string, boolean][] = [], refreshed: string[] = [];
  let left = failures;
  const passwords = new ScreenPasswords(
    {
      call: ((_name: string, { uuid, restored }: { uuid: string; restored: boolean }) => {
        called.push([uuid, restored]);
        return left-- > 0 ? Promise.reject(new Error("busy")) : Promise.resolve(1);
      }) as never,
    },
    {
      vms: () => [...states.keys()].map((id) => ({ id })) as never,
      record: ((vmId: string) => {
        const found = states.get(vmId);
        if (!found) return undefined;
        const { state, openScreen } = found;
        return { state, summary: { openScreen, generatedPasswords: vmId !== "own" } };
      }) as never,
      refreshSoon: (vmId) => refreshed.push(vmId),
    },
  );
  return { passwords, called, refreshed };
}

Deno.test("ScreenPasswords.renewAll() looks at running VMs with generated passwords, each once", async () => {
  const { passwords, called } = host(["a", "own", "b"]);
  await passwords.renewAll();
  assert.deepEqual(called, [["a", false], ["b", false]]);
  await passwords.renewDue();
  assert.equal(called.length, 2);
});

Deno.test("ScreenPasswords.renewAll() looks at VMs that are off where their definition has an open screen", async () => {
  const { passwords, called, refreshed } = host(["a"], 0, ["off"], ["open", "own"]);
  await passwords.renewAll();
  assert.deepEqual(called, [["a", false], ["open", false]]);
  assert.deepEqual(refreshed, ["open"]);
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
