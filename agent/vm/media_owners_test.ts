import assert from "node:assert/strict";
import type { VM } from "../../lib/contract/mod.ts";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { MEDIA_OWNER_MIGRATIONS, MediaOwners } from "./media_owners.ts";

setLogLevel("error");

const OWNER = 4711, QEMU = 4712;
const ignore = Deno.uid() !== 0;

type Disks = Pick<VM, "disks">;
const having = (...sources: string[]): Disks => ({ disks: sources.map((source) => ({ source })) } as Disks);

/** A folder with a medium that another user owns, on a host whose VMs a test says. */
async function withMedium(run: (made: ReturnType<typeof worldIn>) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const made = worldIn(folder);
  try {
    await Deno.writeTextFile(made.path, "");
    await Deno.chown(made.path, OWNER, OWNER);
    await run(made);
  } finally {
    made.store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function worldIn(folder: string) {
  const store = new Store(folder, undefined, [{ name: "vms", migrations: MEDIA_OWNER_MIGRATIONS }]);
  const clock = new TestClock(), path = `${folder}/a.iso`;
  let vms: readonly Disks[] = [];
  const owners = new MediaOwners(store, clock, {
    vms: () => vms,
    qemuUser: () => Promise.resolve({ uid: QEMU, gid: QEMU }),
  });
  /** The medium's user after a look some time later. */
  const later = async () => {
    await clock.advance(20_000);
    await owners.putBack();
    return (await Deno.stat(path)).uid;
  };
  /** Gives the medium to a VM, as libvirt does. */
  const give = async () => {
    (await owners.hold(path))[Symbol.dispose]();
    await Deno.chown(path, QEMU, QEMU);
  };
  return {
    store,
    clock,
    path,
    folder,
    owners,
    later,
    give,
    set: (...now: Disks[]) => void (vms = now),
  };
}

/** How many paths are followed by the system meanwhile. */
async function followed(run: () => Promise<unknown>): Promise<number> {
  const { realPath } = Deno;
  let times = 0;
  Deno.realPath = (path) => {
    times++;
    return realPath(path);
  };
  try {
    await run();
  } finally {
    Deno.realPath = realPath;
  }
  return times;
}

Deno.test({
  name: "MediaOwners gives nothing back while a change gives it to a VM, however long that takes",
  ignore,
  fn: () =>
    withMedium(async ({ owners, path, later }) => {
      (await owners.hold(path))[Symbol.dispose]();
      await owners.putBack();
      {
        using _change = await owners.hold(path);
        await Deno.chown(path, QEMU, QEMU); // as libvirt does
        assert.deepEqual([await later(), await later()], [QEMU, QEMU]);
      }
      assert.deepEqual([await later(), await later()], [QEMU, OWNER]);
    }),
});

Deno.test({
  name: "MediaOwners keeps what it knows of a medium that a change takes while it is given back",
  ignore,
  fn: () =>
    withMedium(async ({ owners, path, later, give }) => {
      await give();
      await later();
      const { chown } = Deno, begun = Promise.withResolvers<Disposable>();
      Deno.chown = async (...input) => {
        Deno.chown = chown;
        begun.resolve(await owners.hold(path));
        await chown(...input);
      };
      await later();
      using _change = await begun.promise;
      await Deno.chown(path, QEMU, QEMU);
      assert.equal(await later(), QEMU);
      _change[Symbol.dispose]();
      assert.deepEqual([await later(), await later()], [QEMU, OWNER]);
    }),
});

Deno.test({
  name: "MediaOwners follows the paths of VMs' disks once, and those that VMs get",
  ignore,
  fn: () =>
    withMedium(async ({ owners, path, folder, later, give, set }) => {
      await give();
      const others = Array.from({ length: 100 }, (_, index) => having(`${folder}/disk-${index}`));
      const user = having(path);
      set(user, ...others);
      await later();
      const times = await followed(async () => {
        for (let look = 0; look < 10; look++) assert.equal(await later(), QEMU);
      });
      assert.equal(times, 0);
      set(user, ...others, having(`${folder}/new`));
      assert.equal(await followed(() => owners.putBack()), 1);
      set(...others);
      assert.deepEqual([await later(), await later()], [QEMU, OWNER]);
    }),
});

Deno.test({
  name: "MediaOwners gives nothing back to which a VM's link leads by now",
  ignore,
  fn: () =>
    withMedium(async ({ path, folder, later, give, set }) => {
      await give();
      const link = `${folder}/link.iso`, other = `${folder}/b.iso`;
      await Deno.writeTextFile(other, "");
      await Deno.symlink(other, link);
      set(having(link), having(path));
      await later();
      await Deno.remove(link);
      await Deno.symlink(path, link);
      set(having(link));
      assert.deepEqual([await later(), await later(), await later()], [QEMU, QEMU, QEMU]);
      set();
      assert.deepEqual([await later(), await later()], [QEMU, OWNER]);
    }),
});
