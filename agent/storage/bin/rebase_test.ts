import assert from "node:assert/strict";
import { BIN_FOLDER } from "../../../lib/bin/place.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { hasQemuImg } from "../qemu_img.ts";
import { backingOf } from "../disk_images/backing.ts";
import { planRebases, rebase } from "./rebase.ts";
import { localMachine } from "../../machine/machine.ts";

const ignore = !await hasQemuImg();
const HERE = localMachine("qemu:///system");
const HOST = { link: { machine: HERE }, machine: HERE } as LibvirtHost;

async function qemuImg(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("qemu-img", { args, stdout: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A raw image and a qcow2 image that is built on it, both in the bin of a folder. */
class World {
  readonly folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  readonly base = this.#file("base", "0");
  readonly overlay = { ...this.#file("overlay", "1"), backing: [this.base.path] };

  /** @param name by which the overlay names its base */
  async make(name: string): Promise<void> {
    const [base, overlay] = [this.base, this.overlay].map(({ as }) => this.kept(as));
    await Deno.mkdir(`${this.folder}/${BIN_FOLDER}`);
    await Deno.writeFile(base!, new Uint8Array(1024));
    await qemuImg("create", "-q", "-u", "-f", "qcow2", "-b", name, "-F", "raw", overlay!, "1024");
  }

  kept = (as: string): string => `${this.folder}/${BIN_FOLDER}/${as}`;

  /** Plans the rebases that are needed when the base moves to another name of the folder. */
  plan(base: string, overlay: object = {}) {
    const to = `${this.folder}/${base}`;
    return planRebases(HOST, [{ ...this.base, to }, { ...this.overlay, ...overlay }]);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }

  #file(name: string, as: string) {
    const path = `${this.folder}/${name}`, backing: string[] = [];
    return { path, to: path, as, role: "disk" as const, backing };
  }
}

Deno.test({
  name: "an image is rebased where what it is built on goes to another name, and back",
  ignore,
  fn: async () => {
    using world = new World();
    await world.make("base"); // relative: it counts from where the image was
    assert.deepEqual(await world.plan("base"), []);
    const planned = await world.plan("other");
    assert.deepEqual(planned, [
      { path: world.overlay.path, base: { path: `${world.folder}/other`, format: "raw" } },
    ]);
    await Deno.rename(world.kept(world.overlay.as), world.overlay.path);
    for (let n = 0; n < 2; n++) await rebase(planned);
    assert.equal((await backingOf(world.overlay.path))?.path, `${world.folder}/other`);
    // The restore was taken back after that
    await Deno.rename(world.overlay.path, world.kept(world.overlay.as));
    assert.deepEqual((await world.plan("base")).map(({ base }) => base.path), [world.base.path]);
  },
});

Deno.test({
  name: "what a guest wrote onto its raw disk is not followed, and no format is guessed",
  ignore,
  fn: async () => {
    using world = new World();
    await world.make(world.base.path);
    assert.deepEqual(await world.plan("other", { format: "raw" }), []);
    assert.deepEqual(await world.plan("other", { backing: ["/etc/passwd"] }), []);
    await Deno.writeFile(world.kept(world.overlay.as), new Uint8Array(1024));
    await assert.rejects(
      world.plan("other"),
      (error) => error instanceof ContractError && error.code === "BinRestoreFailed",
    );
  },
});
