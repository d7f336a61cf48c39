import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { TestClock } from "../testing.ts";
import { canHang, MountGate } from "./gate.ts";
import { MOST_THREADS } from "./guarded_mount.ts";

const LOCAL = `21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:4 / /proc rw - proc proc rw`;
const NAS = "30 21 0:40 / /nas rw - nfs4 nas:/disks rw,vers=4";
const OTHER = "31 21 0:41 / /other rw - cifs //win/disks rw";

/** A host whose mounts answer, or do not. */
class FakeHost {
  readonly clock = new TestClock();
  text = [LOCAL, NAS, OTHER].join("\n");
  /** Places below which everything waits. */
  readonly hanging = new Set<string>();
  readonly links = new Map<string, string>();
  readonly canaries: string[] = [];
  readonly looks: string[] = [];
  reads = 0;
  #waiting: [path: string, go: () => void][] = [];
  readonly gate = new MountGate({
    clock: this.clock,
    mountinfo: () => {
      this.reads++;
      return this.text;
    },
    canary: (at) => {
      this.canaries.push(at);
      return this.io(at);
    },
    linkAt: async (path) => {
      this.looks.push(path);
      await this.io(path);
      return this.links.get(path);
    },
    procText: () => Promise.resolve("pos:\t0\nmnt_id:\t30\n"),
  });

  /** Blocking threads that wait. */
  get threads(): number {
    return this.#waiting.length;
  }

  async io(path: string): Promise<void> {
    if ([...this.hanging].some((at) => path === at || path.startsWith(`${at}/`))) {
      await new Promise<void>((go) => this.#waiting.push([path, go]));
    }
  }

  /** Lets the waiting calls continue. */
  release(): void {
    this.hanging.clear();
    for (const [, go] of this.#waiting.splice(0)) go();
  }

  look(path: string): Promise<string> {
    return this.gate.access(path, async () => {
      await this.io(path);
      return path;
    });
  }
}

/** Returns a function that reports the present state of work. */
function outcome(work: Promise<unknown>): () => string {
  let state = "waits";
  work.then(() => state = "done", (error) => {
    state = error instanceof ContractError ? error.code : String(error);
  });
  return () => state;
}

const turn = () => new Promise((go) => setTimeout(go, 0));

/** Lets time go by, from when what was begun has got as far as it gets. */
async function later(host: FakeHost, ms: number): Promise<void> {
  await turn();
  await host.clock.advance(ms);
  await turn();
}

Deno.test("types that wait for a server, and those that do not", () => {
  for (const type of ["nfs", "nfs4", "cifs", "fuse", "fuse.sshfs", "fuseblk", "ceph", "9p"]) {
    assert.ok(canHang(type));
  }
  for (const type of ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "proc", "fusectl", "autofs"]) {
    assert.ok(!canHang(type), type);
  }
});

Deno.test("a thousand files cost one reading of mountinfo and one canary", async () => {
  const host = new FakeHost();
  for (let n = 0; n < 1000; n++) await host.look(`/nas/${n}.img`);
  assert.deepEqual(host.canaries, ["/nas"]);
  assert.equal(host.reads, 1);
  await later(host, 6000);
  await host.look("/nas/0.img");
  assert.deepEqual(host.canaries, ["/nas", "/nas"]);
});

Deno.test("where no mount can hang, nothing but the file itself is touched", async () => {
  const host = new FakeHost();
  host.text = LOCAL;
  await host.look("/images/a.img");
  assert.deepEqual([host.canaries, host.looks], [[], []]);
});

Deno.test("a mount that hangs takes a few threads, is refused at once then, and is half open when it returns", async () => {
  const host = new FakeHost();
  let changes = 0;
  const end = host.gate.onChange(() => changes++);
  host.hanging.add("/nas");
  const began = host.clock.now();
  const many = Array.from({ length: 40 }, (_, n) => outcome(host.look(`/nas/${n}.img`)));
  await later(host, 2500);
  assert.ok(many.every((each) => each() === "waits"));
  assert.ok(host.threads <= MOST_THREADS, `${host.threads} threads`);
  assert.equal(await host.look("/other/a"), "/other/a");
  assert.equal(await host.look("/var/a"), "/var/a");
  await later(host, 900);
  assert.ok(many.every((each) => each() === "StorageNotResponding"), many.map((each) => each()).join());
  const [silent, ...others] = host.gate.notResponding();
  assert.deepEqual(others, []);
  assert.deepEqual(silent, {
    path: "/nas",
    type: "nfs4",
    source: "nas:/disks",
    since: new Date(began).toISOString(),
  });
  assert.equal(changes, 1);
  await assert.rejects(host.look("/nas/x"), { code: "StorageNotResponding" });
  await later(host, 600_000);
  await assert.rejects(host.look("/nas/x"), { code: "StorageNotResponding" });
  assert.ok(host.threads <= MOST_THREADS, `${host.threads} threads`);
  const asked = host.canaries.length;
  host.release();
  await turn();
  assert.equal(host.canaries.length, asked + 1, "one canary after the late return");
  assert.equal(await host.look("/nas/x"), "/nas/x");
  assert.deepEqual(host.gate.notResponding(), []);
  assert.equal(changes, 2);
  end();
});

Deno.test("a mount that dies behind a fresh canary", async () => {
  const host = new FakeHost();
  await host.look("/nas/a");
  host.hanging.add("/nas");
  const many = Array.from({ length: 40 }, (_, n) => outcome(host.look(`/nas/${n}.img`)));
  await later(host, 1000);
  assert.equal(host.threads, MOST_THREADS);
  await later(host, 2300);
  assert.ok(many.every((each) => each() === "StorageNotResponding"), many.map((each) => each()).join());
  assert.equal(host.threads, MOST_THREADS);
  host.release();
  await turn();
  await host.look("/nas/a");
});

Deno.test("a canary that is late after a late return keeps the mount closed", async () => {
  const host = new FakeHost();
  host.hanging.add("/nas");
  const first = outcome(host.look("/nas/a"));
  await later(host, 3200);
  assert.equal(first(), "StorageNotResponding");
  host.release();
  host.hanging.add("/nas");
  await later(host, 3200);
  await assert.rejects(host.look("/nas/a"), { code: "StorageNotResponding" });
  host.release();
  await turn();
  await host.look("/nas/a");
});

Deno.test("a link that leads to a mount which hangs is not followed blindly", async () => {
  const host = new FakeHost();
  host.links.set("/images/link.iso", "../nas/deep/x.iso");
  host.links.set("/images/loop", "/images/loop");
  host.hanging.add("/nas");
  const waits = outcome(host.look("/images/link.iso"));
  await later(host, 3200);
  assert.equal(waits(), "StorageNotResponding");
  await assert.rejects(host.look("/images/link.iso"), { code: "StorageNotResponding" });
  assert.equal(host.threads, 1, "the canary alone");
  assert.equal(await host.look("/images/loop"), "/images/loop");
  // The link itself can be looked at.
  assert.equal(await host.gate.access("/images/link.iso", () => Promise.resolve(1), { follow: false }), 1);
});

Deno.test("a link on a mount leads off it, and .. leads to where the kernel goes", async () => {
  const host = new FakeHost();
  host.links.set("/nas/out", "/images");
  host.links.set("/short", "/other/deep/folder");
  host.hanging.add("/nas");
  const { gate } = host;
  const back = outcome(gate.access("/short/../../../images/a", () => Promise.resolve()));
  await turn();
  assert.equal(back(), "done");
  const through = outcome(host.look("/nas/out/a"));
  await later(host, 3200);
  assert.equal(through(), "StorageNotResponding");
});

Deno.test("a file that is held open belongs to the mount it was opened on", async () => {
  const host = new FakeHost();
  host.hanging.add("/nas");
  const waits = outcome(host.gate.access("/proc/1/fd/7/a", () => Promise.resolve()));
  await later(host, 3200);
  assert.equal(waits(), "StorageNotResponding");
});

Deno.test("a mount that is taken away is silent no more, and a new one at its place is another one", async () => {
  const host = new FakeHost();
  let changes = 0;
  const end = host.gate.onChange(() => changes++);
  host.hanging.add("/nas");
  const waits = outcome(host.look("/nas/a"));
  await later(host, 3200);
  assert.equal(waits(), "StorageNotResponding");
  host.text = [LOCAL, OTHER].join("\n");
  await later(host, 6000);
  assert.deepEqual([changes, host.gate.notResponding()], [2, []]);
  host.hanging.clear();
  assert.equal(await host.look("/nas/a"), "/nas/a");
  host.text = [LOCAL, OTHER, NAS.replace("30", "44")].join("\n");
  await later(host, 2000);
  assert.equal(await host.look("/nas/a"), "/nas/a");
  assert.equal(host.canaries.at(-1), "/nas");
  end();
});

Deno.test("files that hang on a disk of this host take a few threads, and no look waits for ever", async () => {
  const host = new FakeHost();
  host.hanging.add("/bad");
  const many = Array.from({ length: 10 }, (_, n) => outcome(host.look(`/bad/${n}`)));
  await later(host, 1000);
  assert.ok(host.threads <= MOST_THREADS);
  await later(host, 10_000);
  assert.ok(many.every((each) => each() === "StorageUnknown"), many.map((each) => each()).join());
  assert.ok(host.threads <= MOST_THREADS);
  host.release();
  await turn();
  assert.equal(await host.look("/bad/1"), "/bad/1");
});

Deno.test("work goes on as long as its mount answers, and what comes too late is thrown away", async () => {
  const host = new FakeHost();
  let finish = () => {};
  const slow = outcome(
    host.gate.access("/nas/a", () => new Promise<void>((go) => finish = go), { kind: "work" }),
  );
  await later(host, 60_000);
  assert.equal(slow(), "waits");
  finish();
  await turn();
  assert.equal(slow(), "done");
  const discarded: string[] = [];
  await host.look("/nas/b");
  host.hanging.add("/nas");
  const late = outcome(host.gate.access("/nas/b", async () => {
    await host.io("/nas/b");
    return "opened";
  }, { discard: (file) => discarded.push(file) }));
  await later(host, 3400);
  assert.equal(late(), "StorageNotResponding");
  host.release();
  await turn();
  assert.deepEqual(discarded, ["opened"]);
});

Deno.test("an error is an answer", async () => {
  const host = new FakeHost();
  await assert.rejects(
    host.gate.access("/nas/a", () => Promise.reject(new Deno.errors.NotFound("none"))),
    Deno.errors.NotFound,
  );
  assert.deepEqual(host.gate.notResponding(), []);
});
