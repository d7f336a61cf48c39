import assert from "node:assert/strict";
import type { HangingObject } from "../../ffi/call_gate.ts";
import { HostHangs } from "./hangs.ts";

const hang = (key: HangingObject["key"], call: string): HangingObject => ({
  key,
  call,
  since: 1,
  isLocked: false,
});

/** Remedies that are reported for hangs, by the name of each object. */
async function remedies(hangs: readonly HangingObject[]): Promise<Record<string, string>> {
  let told: () => void = () => {};
  const gate = { hangs: () => hangs, onChange: (changed: () => void) => void (told = changed) };
  const inventory = { update: () => undefined, vm: () => undefined, refreshSoon: () => undefined };
  const found = new HostHangs(gate as never, inventory as never, () => {}, () => []);
  told();
  await Promise.resolve();
  return Object.fromEntries(found.told().map(({ name, remedy }) => [name, remedy]));
}

Deno.test("a VM whose definition cannot be changed because of another one is not to be forced off", async () => {
  const waiting = hang("vm:waiting", "virDomainDefineXMLFlags");
  const both = await remedies([hang("vm:stuck", "virDomainListGetStats"), waiting]);
  assert.match(both.stuck!, /Force it off/);
  assert.match(both.waiting!, /only waits .* do not force this one off/);
  assert.match((await remedies([waiting])).waiting!, /Force it off/);
});
