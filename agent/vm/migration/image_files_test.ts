/** Images that came byte by byte: what they name is what came, or they are refused before QEMU opens them. */
import assert from "node:assert/strict";
import {
  basesFirst,
  type MadeImage,
  movedPaths,
  placedDisks,
  relinkImages,
  wholeSectors,
} from "./image_files.ts";

const image = (
  index: number,
  path: string,
  more: { backing?: number; target?: string; format?: "qcow2" | "raw" } = {},
) => {
  const { backing, target = "vda", format = "qcow2" } = more;
  const of = { path: `/there/${path}`, bytes: 1, format, ...(backing !== undefined && { backing }) };
  return { target, path: `/here/${path}`, type: "file", format, image: { index, of } } satisfies MadeImage;
};
const never = new AbortController().signal;

Deno.test("placedDisks(): of files, the first is the disk, with those it is built on, nearest first", () => {
  const made = [
    image(0, "top", { backing: 2 }),
    image(1, "base", { format: "raw" }),
    image(2, "middle", { backing: 1 }),
    image(0, "other", { target: "vdb" }),
    { target: "vdc", path: "/here/copy", type: "file", format: "raw" } as const,
  ];
  const disks = placedDisks(made);
  assert.deepEqual(disks.map(({ target, path }) => [target, path]), [
    ["vda", "/here/top"],
    ["vdb", "/here/other"],
    ["vdc", "/here/copy"],
  ]);
  assert.deepEqual(disks[0]!.backing, [
    { path: "/here/middle", type: "file", format: "qcow2" },
    { path: "/here/base", type: "file", format: "raw" },
  ]);
  assert.equal(movedPaths(made).get("/there/middle"), "/here/middle");
  assert.equal(movedPaths(made).size, 4);
});

Deno.test("placedDisks(): an image that is built on itself, on one that does not come, or on another disk's is refused", () => {
  for (
    const made of [
      [image(0, "a", { backing: 0 })],
      [image(0, "a", { backing: 1 }), image(1, "b", { backing: 0 })],
      [image(0, "a", { backing: 3 })],
      [image(0, "a", { backing: 1 }), image(1, "b", { target: "vdb" })],
    ]
  ) assert.throws(() => placedDisks(made), { name: "ImageError" });
});

Deno.test("basesFirst(): each image follows what it is built on, also where two are built on one", () => {
  const made = [
    image(0, "top", { backing: 1 }),
    image(1, "base"),
    image(2, "branch", { backing: 3 }),
    image(3, "middle", { backing: 1 }),
    image(0, "other", { target: "vdb" }),
  ];
  const order = basesFirst(made).map(({ path }) => path.slice("/here/".length));
  assert.deepEqual(order, ["base", "other", "top", "middle", "branch"]);
  assert.throws(() => basesFirst([image(0, "a", { backing: 0 })]), { name: "ImageError" });
});

Deno.test("relinkImages(): an image that names a file which did not come, keeps data elsewhere or is none is refused", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const make = async (name: string, ...args: string[]) => {
      const path = `${folder}/${name}`;
      const { success, stderr } = await new Deno.Command("qemu-img", {
        args: ["create", "-q", "-f", "qcow2", ...args, path, "1M"],
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return path;
    };
    const at = (path: string, more = {}) => ({ ...image(0, "x", more), path });
    const refused = (made: MadeImage[], why: RegExp) =>
      assert.rejects(relinkImages(made, never), { name: "ImageError", message: why });
    await refused(
      [at(await make("a", "-u", "-b", "/etc/shadow", "-F", "raw"))],
      /\/etc\/shadow, which does not come/,
    );
    await refused([at(await make("b", "-u", "-b", "nbd://evil/x", "-F", "raw"))], /no plain file/);
    await refused([at(await make("c", "-o", `data_file=${folder}/data`))], /its data in another file/);
    await Deno.writeFile(`${folder}/d`, new Uint8Array(4096));
    await refused([at(`${folder}/d`)], /no qcow2 image/);
    // One that names another file than it is said to be built on goes by what came
    const base = { ...image(1, "base"), path: await make("base") };
    const top = await make("top", "-u", "-b", "/etc/shadow", "-F", "raw");
    await relinkImages([at(top, { backing: 1 }), base], never);
    const { stdout } = await new Deno.Command("qemu-img", { args: ["info", "--output=json", top] }).output();
    const info = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual([info["backing-filename"], info["backing-filename-format"]], [base.path, "qcow2"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("wholeSectors()", () => assert.deepEqual([0, 1, 512, 513].map(wholeSectors), [0, 512, 512, 1024]));
