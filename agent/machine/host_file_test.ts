import assert from "node:assert/strict";
import { openFile, plainPath, reach, realPathOf, statFile } from "./host_file.ts";

/** Files named by bytes, which Deno cannot make: `bad\xff`, `bad\xfe`, and one named by what `bad\xff` is shown as. */
async function folder(): Promise<string> {
  const path = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const script = String.raw`printf 1 > "$(printf 'bad\377')"; printf 22 > "$(printf 'bad\376')"
    printf 333 > "$(printf 'bad\357\277\275ff')"; printf 4444 > plain
    ln -s "$(printf 'bad\377')" link; ln -s plain "$(printf 'link\377')"`;
  const { success } = await new Deno.Command("sh", { args: ["-ec", script], cwd: path }).output();
  assert.ok(success);
  return path;
}

Deno.test("each text leads to the file of its bytes, and to no other", async () => {
  const path = await folder();
  const sizeOf = async (name: string) => (await statFile(`${path}/${name}`)).size;
  try {
    assert.equal(await sizeOf("bad\ufffdff"), 1);
    assert.equal(await sizeOf("bad\ufffdfe"), 2);
    assert.equal(await sizeOf("bad\ufffdef\ufffdbf\ufffdbdff"), 3);
    assert.equal(await sizeOf("plain"), 4);
    assert.equal(await sizeOf("link"), 1);
    assert.equal(await sizeOf("link\ufffdff"), 4);
    await assert.rejects(sizeOf("bad\ufffdfd"), Deno.errors.NotFound);
    await assert.rejects(sizeOf("nothing"), Deno.errors.NotFound);
    assert.equal(await realPathOf(`${path}/link`), `${path}/bad\ufffdff`);
    assert.equal(await realPathOf(`${path}/link\ufffdff`), `${path}/plain`);
    assert.equal(
      await realPathOf(`${path}/bad\ufffdef\ufffdbf\ufffdbdff`),
      `${path}/bad\ufffdef\ufffdbf\ufffdbdff`,
    );
    await assert.rejects(realPathOf(`${path}/bad\ufffdfd`), Deno.errors.NotFound);
    using file = await openFile(`${path}/bad\ufffdfe`);
    assert.equal(await new Response(file.readable).text(), "22");
    // Another program opens it, too, as long as it is held.
    using held = await reach(`${path}/bad\ufffdff`);
    const cat = await new Deno.Command("cat", { args: [held.path] }).output();
    assert.equal(new TextDecoder().decode(cat.stdout), "1");
    assert.equal(plainPath(`${path}/bad\ufffdef\ufffdbf\ufffdbdff`), `${path}/bad\ufffdff`);
    assert.throws(() => plainPath(`${path}/bad\ufffdff`), { code: "EILSEQ" });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("a file that is let go of leaves no descriptor behind", async () => {
  const path = await folder();
  // The tests of other files share the process, and its descriptors.
  const isOwn = (name: string) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  const count = () => [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => isOwn(name)).length;
  try {
    await statFile(`${path}/bad\ufffdff`);
    const before = count();
    for (let round = 0; round < 20; round++) await statFile(`${path}/bad\ufffdff`);
    assert.ok(count() <= before, `${before} → ${count()}`);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
