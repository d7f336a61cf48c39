/** Guests are asked at their pace, and no oftener because they wish so. */
import assert from "node:assert/strict";
import {
  ContractError,
  type GuestFacts,
  type GuestFilesystem,
  type GuestInfo,
  type VM,
} from "../../lib/contract/mod.ts";
import { aVm } from "../../lib/text/vm_fixture_test.ts";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { TestClock } from "../testing.ts";
import type { GuestBackend } from "./backend.ts";
import type { GuestFactRecords } from "./fact_records.ts";
import type { GuestService } from "./service.ts";
import { factsOf, GuestWatch, TICK_MS } from "./watch.ts";

const INFO: GuestInfo = {
  osType: "linux",
  osVersion: "Debian GNU/Linux 12",
  osId: "debian",
  hostname: "shop",
  ipAddresses: [],
  macAddresses: [],
};
const ROOT: GuestFilesystem = {
  name: "/dev/vda1",
  mountpoint: "/",
  type: "ext4",
  totalBytes: 100,
  usedBytes: 95,
  disks: [],
};

/**
 * A watch over VMs whose agent tells system and file systems; and how often each was asked.
 *
 * @param fails how many questions are not answered, before all others are
 */
function watchOver(vms: readonly VM[], interval: number, fails = 0) {
  const clock = new TestClock(),
    asked: string[] = [],
    tried: string[] = [],
    shown = new Map<string, GuestFacts | undefined>();
  const kept = new Map<string, GuestFacts>();
  /** VMs whose line is open before a look, and those whose line was closed after one. */
  const open = new Set<string>(), closed: string[] = [];
  const agent = {
    kind: "kvm-manager-agent",
    system: ({ id }: VM) => {
      asked.push(id);
      return asked.length <= fails
        ? Promise.reject(new ContractError("LibvirtTimeout"))
        : Promise.resolve(INFO);
    },
    filesystems: () => Promise.resolve([ROOT]),
  } as unknown as GuestBackend;
  const guests: Pick<GuestService, "agentFor" | "whoCan"> = {
    whoCan: ({ id, guestAgent }, ability) =>
      guestAgent === "silent"
        ? (tried.push(id), Promise.resolve(undefined))
        : Promise.resolve(ability === "info" || ability === "filesystems" ? agent.kind : undefined),
    agentFor: (vmId) => Promise.resolve({ vm: vms.find(({ id }) => id === vmId)!, agent }),
  };
  const watch = new GuestWatch({
    guests,
    clock,
    interval,
    lines: { isOpen: (vmId) => open.has(vmId), closeUnused: (vmId) => void closed.push(vmId) },
    inventory: {
      vms: () => vms,
      update: (id: string, { guest }: { guest?: GuestFacts }) => void shown.set(id, guest),
    } as unknown as Inventory,
    records: {
      get: (id: string) => kept.get(id),
      put: (id: string, facts: GuestFacts) => void kept.set(id, facts),
      delete: (id: string) => void kept.delete(id),
    } as unknown as GuestFactRecords,
  });
  const signal = new AbortController().signal;
  /** Lets time pass, with all ticks in it. */
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += TICK_MS) {
      clock.advance(TICK_MS);
      await watch.tick(signal);
    }
  };
  return { watch, asked, tried, shown, open, closed, pass };
}

const connected = (id: string) => aVm({ id, guestAgent: "connected" });

Deno.test("guests with an agent are asked once an interval, others never", async () => {
  const silent = aVm({ id: "silent", guestAgent: "silent" }), off = aVm({ id: "off", state: "stopped" });
  const { watch, asked, shown, pass } = watchOver([connected("a"), connected("b"), silent, off], 300);
  await pass(20_000);
  assert.deepEqual(asked.toSorted(), ["a", "b"]);
  assert.equal(shown.get("a")!.hostname, "shop");
  assert.equal(watch.reading("a")!["fs.0.used"], 95);
  assert.equal(watch.reading("silent"), undefined);
  await pass(300_000);
  assert.equal(asked.length, 4);
});

Deno.test("a guest that opens and closes its channel all the time is asked twice a minute at most", async () => {
  const { watch, asked, pass } = watchOver([connected("a")], 300);
  for (let n = 0; n < 60; n++) {
    await pass(10_000);
    watch.soon("a");
  }
  assert.ok(asked.length <= 21, `${asked.length} times in ten minutes`);
  assert.equal(watch.reading("a"), undefined, "what was told before its agent came is another's");
});

Deno.test("a look leaves no line open that was closed before it", async () => {
  const { open, closed, pass } = watchOver([connected("a"), connected("b")], 300);
  open.add("b");
  await pass(20_000);
  assert.deepEqual(closed, ["a"]);
});

Deno.test("a guest that fell silent is tried again each minute, and delays no other guest", async () => {
  const { asked, tried, pass } = watchOver([aVm({ id: "hung", guestAgent: "silent" }), connected("a")], 300);
  await pass(180_000);
  assert.deepEqual([asked.length, tried.length], [1, 3]);
});

Deno.test("a guest that misses its first question is asked again in a minute, not in an interval", async () => {
  const { asked, shown, pass } = watchOver([connected("a")], 3600, 2);
  await pass(130_000);
  assert.deepEqual([asked.length, shown.get("a")?.hostname], [3, "shop"]);
});

Deno.test("without an interval the system alone is asked for, once; what is too old is none", async () => {
  const never = watchOver([connected("a")], 0);
  await never.pass(3_600_000);
  assert.equal(never.asked.length, 1);
  assert.equal(never.watch.reading("a"), undefined);
  const { watch, pass } = watchOver([connected("a")], 60);
  await pass(10_000);
  assert.ok(watch.reading("a"));
  watch.forget("a");
  assert.equal(watch.reading("a"), undefined);
});

Deno.test("factsOf() bounds what a guest says, and takes no odd id", () => {
  const facts = factsOf({
    ...INFO,
    hostname: "h\n".repeat(900),
    osVersion: "\u001b[31mred",
    osId: "De bian<b>",
  }, 7);
  assert.ok(facts.hostname.length <= 65 && !/\p{Cc}/u.test(facts.hostname + facts.osName));
  assert.equal(facts.osId, undefined);
  assert.equal(factsOf(INFO, 7).osId, "debian");
});
