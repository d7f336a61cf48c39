/**
 * A hundred cuts: the line to a linked host breaks, or its KVM Manager is killed, at a random moment of a change there. An
 * answer means that it was done once, "Nothing was done there" that it was not, and anything else that it is not known.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type MigrationHost, migrationHosts } from "../testbed/migration_hosts.ts";
import { call } from "../testbed/product.ts";
import { CallError } from "../testbed/server.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const CUTS = 100, KILL_EACH = 12, THERE = "there";
/** Longest time after which a line is cut, in milliseconds: most changes take less. */
const LONGEST_MS = 40;

type Outcome = "done" | "not done" | "not known";

/** Outcome of a change for its caller. */
async function outcomeOf(change: Promise<unknown>): Promise<Outcome> {
  try {
    await change;
    return "done";
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const { code, message } = error.body as { code: string; message: string };
    if (code === "LinkUndecided") return "not known";
    assert.equal(code, "LinkedHostAway", message);
    assert.match(message, /Nothing was done there/);
    return "not done";
  }
}

/** A change there, and how often it was made. */
interface Change {
  readonly make: () => Promise<unknown>;
  readonly made: () => Promise<number>;
}

/** VMs on the other host: one that runs, one that is off. */
interface Vms {
  readonly running: { readonly name: string; readonly uuid: string };
  readonly off: { readonly name: string; readonly uuid: string };
}

/** Changes on the other host, each of a name of its own. */
function changesOn(from: MigrationHost, to: MigrationHost, { running, off }: Vms) {
  const vmId = running.uuid;
  const stateIs = async (state: string) =>
    Number((await to.libvirt.virsh("domstate", running.name)).trim() === state);
  const cards = async () => (await to.libvirt.virsh("dumpxml", off.name)).split("<interface").length;
  return {
    volume: (name: string): Change => ({
      make: () =>
        call(from.server, "create_volume", {
          pool: "images",
          name: `${name}.qcow2`,
          capacityBytes: 2 ** 20,
          host: THERE,
        }),
      made: async () => Number((await to.volumes()).includes(`${name}.qcow2`)),
    }),
    /** Made twice, it would be there twice. */
    card: async (): Promise<Change> => {
      const before = await cards();
      return {
        make: () => call(from.server, "attach_nic", { vmId: off.uuid, network: "lan" }),
        made: async () => await cards() - before,
      };
    },
    pause: async (): Promise<Change> => {
      const isRunning = await stateIs("running") === 1;
      return {
        make: () => call(from.server, isRunning ? "pause_vm" : "resume_vm", { vmId }),
        made: () => stateIs(isRunning ? "paused" : "running"),
      };
    },
    tag: (name: string): Change => ({
      make: () => call(from.server, "set_tags", { vmId, tags: [name] }),
      made: async () => Number((await call(to.server, "get_vms")).some(({ tags }) => tags.includes(name))),
    }),
  };
}

Deno.test({
  name: `linked_cuts: ${CUTS} cuts and kills at random moments: done once, not done, or not known`,
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
    const vms = { running: await to.libvirt.machine({ start: true }), off: await to.libvirt.machine({}) };
    const lan = to.libvirt.stateFile("lan.xml");
    await Deno.writeTextFile(lan, "<network><name>lan</name></network>");
    await to.libvirt.virsh("net-define", lan);
    const isListed = async () => (await call(from.server, "get_vms")).length === 2;
    await until("the VMs there to be listed here", isListed);
    /** A link that breaks again and again is tried less and less often; one that is set up again is tried at once. */
    const linkAgain = async () => {
      for (const enabled of [false, true]) await call(from.server, "enable_host", { hostId: THERE, enabled });
      await from.linked(THERE);
      await until("the VMs there to be listed", isListed);
    };
    const changes = changesOn(from, to, vms), kinds = Object.values(changes);
    const count: Record<Outcome, number> = { done: 0, "not done": 0, "not known": 0 };

    await step("each change is done once, not done, or said not to be known", async () => {
      for (let at = 0; at < CUTS; at++) {
        const change = await kinds[at % kinds.length]!(`cut-${at}`);
        await linkAgain();
        const outcome = outcomeOf(change.make());
        // Told where it is waited for
        outcome.catch(() => {});
        await delay(Math.random() ** 2 * LONGEST_MS);
        if (at % KILL_EACH === KILL_EACH - 1) {
          to.killServer();
          await outcome;
          await to.startServer();
        } else to.line.cut();
        const told = await outcome;
        count[told]++;
        // What arrived there goes on
        await delay(told === "not known" ? 300 : 0);
        const made = await change.made();
        const allowed = { done: [1], "not done": [0], "not known": [0, 1] }[told];
        assert.ok(allowed.includes(made), `cut ${at}: ${told}, and it was made ${made} times`);
      }
      console.log(`      ${JSON.stringify(count)}`);
      assert.ok(count.done > 0 && count["not known"] + count["not done"] > 0, "nothing was cut");
    });

    await step("an upload that is cut again and again arrives whole", async () => {
      const content = new Uint8Array(24 * 2 ** 20);
      for (let at = 0; at < content.length; at += 65_536) {
        crypto.getRandomValues(content.subarray(at, at + 65_536));
      }
      const url = `${from.server.url}/api/v1/storage/pools/images/volumes/sent.img/content?host=${THERE}`;
      const put = async (cut: boolean): Promise<boolean> => {
        const answer = fetch(url, {
          method: "PUT",
          body: content,
          headers: {
            ...testerHeaders(from.server.url),
            "content-range": `bytes 0-${content.length - 1}/${content.length}`,
          },
        });
        if (cut) {
          // Sooner than 24 MiB are through
          await delay(Math.random() * 60);
          to.line.cut();
        }
        const response = await answer, said = await response.json() as { readonly code?: string };
        // It arrived whole, and the answer was cut: what is there is compared below
        return response.ok || said.code === "VolumeExists";
      };
      let refused = 0;
      for (let at = 0; at < 8; at++) refused += Number(!await put(true));
      assert.ok(refused > 0, "nothing was cut");
      await linkAgain();
      await until("it to be sent", () => put(false), { seconds: 60 });
      const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
      assert.equal(sum(await Deno.readFile(`${to.images}/sent.img`)), sum(content));
    });

    await step("nothing is left open on either side", async () => {
      await until("no work", async () => {
        const open = await Promise.all(
          [from, to].map(({ server }) => call(server, "list_jobs", { open: true })),
        );
        return open.flat().length === 0;
      });
      assert.deepEqual([...from.open(), ...to.open()], []);
    });
  },
});
