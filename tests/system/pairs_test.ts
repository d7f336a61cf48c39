/**
 * Nouns × events: what an event does to everything that is kept for a VM, on real libvirt.
 * `KVMM_PAIRS_ONLY="saved memory"` tries one noun or one event, `KVMM_PAIRS_ONLY="saved memory × start"` one pair.
 */
import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { PAIR_OF } from "../testbed/pairs/coverage.ts";
import { type EventName, eventOf, EVENTS } from "../testbed/pairs/events.ts";
import { type Cell, MATRIX } from "../testbed/pairs/matrix.ts";
import { type NounName, nounOf, NOUNS, putAll } from "../testbed/pairs/nouns.ts";
import { type Boot, pairsWorld, type Subject, type World } from "../testbed/pairs/world.ts";
import { noFirmware } from "../testbed/firmware.ts";
import { type TestNetwork, testNetwork } from "../testbed/network.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { call, ownServer } from "../testbed/product.ts";
import { CallError, type TestServer } from "../testbed/server.ts";
import { parallelSteps } from "../testbed/parallel_steps.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || await requirement("tpm") !== null ||
  await noFirmware() !== null;
const only = (Deno.env.get("KVMM_PAIRS_ONLY") ?? "").split(" × ").filter(Boolean);
const nouns = chosen(NOUNS), events = chosen(EVENTS);

/** The names in a table that are to be tried: all where none of them is asked for. */
function chosen<T extends Readonly<Record<string, unknown>>>(table: T): (keyof T & string)[] {
  const wrong = only.filter((name) => !(name in NOUNS) && !(name in EVENTS));
  assert.deepEqual(wrong, [], "KVMM_PAIRS_ONLY names neither a noun nor an event");
  const asked = Object.keys(table).filter((name) => only.includes(name));
  return asked.length > 0 ? asked : Object.keys(table);
}

/** The firmware of the VM on which a pair is tried. */
const bootFor = (noun: NounName): Boot => nounOf(noun).boot ?? "bios";

/** Texts on the VM since a moment: in the answer, the activity and the VM itself. */
async function saidSince(world: World, from: number, { id: vmId }: Subject, said: readonly string[]) {
  const { server, vm: { id, name }, second, mark } = world;
  const own = [id, vmId, name, second.name, mark];
  // Tests that run at the same time have other rows
  const rows = (await call(server, "get_activity", { since: from })).filter((row) =>
    own.some((text) => JSON.stringify(row).includes(text))
  );
  const vm = (await call(server, "get_vms")).find((each) => each.id === vmId);
  return JSON.stringify([said, rows, vm]);
}

/** Server, network and pool that worlds are made on. */
interface Place {
  readonly server: TestServer;
  /** The network and the pool of all of them but those to whose own the event happens. */
  readonly shared: { readonly network: TestNetwork; readonly pool: TestPool };
}

const worldFor = ({ server, shared }: Place, event: EventName, boot: Boot) =>
  pairsWorld(server, boot, eventOf(event).ofStorageOrNetwork ? undefined : shared);

/** Effect of an event on a kept object. */
async function found(world: World, noun: NounName, of: Subject, said: string): Promise<Cell | "left over"> {
  const seen = await nounOf(noun).look(world, of);
  return seen === "has none" && nounOf(noun).told?.(world).test(said) ? "told" : seen;
}

/** Lets an event happen to a VM with these nouns. @returns what differs from the table, a line each */
async function differences(
  place: Place,
  event: EventName,
  boot: Boot,
  here: readonly NounName[],
): Promise<string[]> {
  await using world = await worldFor(place, event, boot);
  await eventOf(event).before?.(world);
  await putAll(world, here);
  for (const noun of here) {
    assert.equal(await nounOf(noun).look(world, world.vm), "has it", `${noun}, before anything happened`);
  }
  const from = Date.now();
  const expected = (noun: NounName) => MATRIX[noun][event];
  try {
    const { of, said } = await eventOf(event).run(world);
    const all = await saidSince(world, from, of, said);
    const lines: string[] = [];
    for (const noun of here) {
      const cell = await found(world, noun, of, all);
      const wanted = expected(noun);
      // What is said of a tag is said of all that goes by it
      if (cell !== wanted && !(wanted === "has none" && cell === "told")) {
        lines.push(`${noun} × ${event}: ${cell}, not ${wanted}`);
      }
    }
    return lines;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const isMeant = here.every((noun) => expected(noun) === "refused");
    if (!isMeant) return [`${here.join(", ")} × ${event}: refused: ${error.message}`];
    // What is refused has lost nothing
    for (const noun of here) {
      assert.equal(await nounOf(noun).look(world, world.vm), "has it", `${noun}, after ${event} was refused`);
    }
    return [];
  }
}

/** Holds that a VM cannot have the thing when the event comes. @returns what differs from that, a line each */
async function possible(place: Place, event: EventName): Promise<string[]> {
  const lines: string[] = [];
  for (const noun of nouns.filter((each) => typeof MATRIX[each][event] === "object")) {
    await using world = await worldFor(place, event, bootFor(noun));
    await eventOf(event).before?.(world);
    await putAll(world, [noun]);
    if (await nounOf(noun).look(world, world.vm) === "has it") {
      lines.push(`${noun} × ${event}: it can be tried`);
    }
  }
  return lines;
}

/** Distributes nouns among VMs: a noun that is refused, or that forbids what happens to others, has a VM of its own. */
function worldsOf(event: EventName): { boot: Boot; here: NounName[] }[] {
  const tried = nouns.filter((noun) => typeof MATRIX[noun][event] === "string");
  const isApart = (noun: NounName) => nounOf(noun).apart || MATRIX[noun][event] === "refused";
  const shared = tried.filter((noun) => !isApart(noun));
  return [
    ...(["bios", "uefi"] as const).map((boot) => ({
      boot,
      here: shared.filter((noun) => bootFor(noun) === boot),
    })).filter(({ here }) => here.length > 0),
    ...tried.filter(isApart).map((noun) => ({ boot: bootFor(noun), here: [noun] })),
  ];
}

/** Lets an event happen to all nouns. @returns what differs from the table, a line each */
async function allDifferences(place: Place, event: EventName): Promise<string[]> {
  const lines = await possible(place, event);
  for (const { boot, here } of worldsOf(event)) lines.push(...await differences(place, event, boot, here));
  return lines;
}

/** Events that happen in parallel, each to VMs of its own. */
const AT_ONCE = 2;

Deno.test({
  name: "what happens to a VM does to each thing that is kept for it what the table says",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork("pairs");
    await using pool = await testPool("pairs");
    await using server = await ownServer({ env: { KVMM_BIN_DAYS: "7" } });
    const holds = async (event: EventName) =>
      assert.deepEqual(await allDifferences({ server, shared: { network, pool } }, event), []);
    await parallelSteps(t, AT_ONCE, Object.fromEntries(events.map((event) => [event, () => holds(event)])));
  },
});

Deno.test("a command that changes something names its pair, or the test that has it", async (t) => {
  const changing = Object.entries(COMMANDS).filter(([, { readOnly }]) => !readOnly).map(([name]) => name);
  assert.deepEqual(Object.keys(PAIR_OF).sort(), changing.sort());
  for (const [command, pair] of Object.entries(PAIR_OF)) {
    if (typeof pair === "string" || "none" in pair) continue;
    await t.step(command, async () => {
      const text = await Deno.readTextFile(pair.file),
        called = command.replace(/_(.)/g, (_, c) => c.toUpperCase());
      assert.ok(text.includes(pair.words), `${pair.file} has no “${pair.words}”`);
      assert.match(
        text,
        new RegExp(`\\b(?:${command}|${called})\\b`),
        `${pair.file} does not call ${command}`,
      );
    });
  }
});
