import assert from "node:assert/strict";
import type { DomainRecord, GuestAddress } from "../../../ffi/calls/mod.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { aVm } from "../../../lib/text/vm_fixture_test.ts";
import { TestClock } from "../../testing.ts";
import { Addresses } from "./addresses.ts";

const MAC = "52:54:00:00:00:01";
const at = (address: string, mac = MAC): GuestAddress => ({ mac, address, prefix: 24 });

/** One VM that runs, with our agent alone. */
function host() {
  const clock = new TestClock(), asked: string[] = [];
  const state = { isWatched: false, isSilent: false, told: [at("10.0.0.7")] as GuestAddress[] };
  const nic = { mac: MAC, type: "bridge", network: "br0", linkUp: true, ipAddresses: [] as string[] };
  let vm: VM = aVm({
    state: "running",
    responsive: true,
    networkInterfaces: [nic] as unknown as VM["networkInterfaces"],
    guestAgents: { "qemu-ga": "not configured", "kvm-manager-agent": "connected" },
  });
  const addresses = new Addresses(
    {
      machine: null,
      call: ((_name: string, { source }: { source: string }) => {
        asked.push(source);
        return Promise.resolve([]);
      }) as never,
    },
    {
      vms: () => [vm],
      vm: () => vm,
      record: () => ({ state: 1 }) as DomainRecord,
      networks: { records: () => [], record: () => undefined },
      update: (_id: string, { addresses: known = [] }: { addresses?: readonly GuestAddress[] }) => {
        const [first] = known;
        vm = {
          ...vm,
          networkInterfaces: [{
            ...vm.networkInterfaces[0]!,
            ...(first && { ipAddress: first.address }),
            ipAddresses: known.map(({ address, prefix }) => `${address}/${prefix}`),
          }],
        };
      },
    },
    {
      isWatched: () => state.isWatched,
      ask: () => {
        asked.push("own");
        return state.isSilent
          ? Promise.reject(new ContractError("GuestSilent"))
          : Promise.resolve(state.told);
      },
    },
    clock,
  );
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 3000) {
      clock.advance(3000);
      await addresses.update();
    }
  };
  return { addresses, asked, state, pass, known: () => vm.networkInterfaces[0]!.ipAddresses, id: vm.id };
}

Deno.test("our agent is asked for addresses while somebody looks, and then twice a minute at most", async () => {
  const { asked, state, pass, known } = host();
  await pass(60_000);
  assert.deepEqual([asked.includes("own"), known()], [false, []]);
  state.isWatched = true;
  await pass(300_000);
  assert.deepEqual(known(), ["10.0.0.7/24"]);
  const count = asked.filter((each) => each === "own").length;
  assert.ok(count >= 9 && count <= 11, `${count} times in five minutes`);
  state.isWatched = false;
  await pass(300_000);
  assert.equal(asked.filter((each) => each === "own").length, count);
});

Deno.test("what our agent tells others counts, without the guest being asked; lies are bounded", async () => {
  const { addresses, asked, known, pass, id } = host();
  addresses.told(id, [
    at("10.0.0.9"),
    at("<b>"),
    ...Array.from({ length: 900 }, (_, n) => at(`10.1.0.${n}`)),
  ]);
  await pass(60_000);
  assert.equal(known()[0], "10.0.0.9/24");
  assert.deepEqual([known().length, known().some((each) => each.includes("<"))], [64, false]);
  assert.deepEqual(asked, [], "ARP need not be asked any more");
});

Deno.test("an agent of ours that does not answer is left alone for two minutes", async () => {
  const { asked, state, pass } = host();
  Object.assign(state, { isWatched: true, isSilent: true });
  await pass(300_000);
  const count = asked.filter((each) => each === "own").length;
  assert.ok(count >= 2 && count <= 3, `${count} times in five minutes`);
});
