import assert from "node:assert/strict";
import { readTar, type TarEntry, writeTar } from "./tar.ts";

const entry = (name: string, text = "x"): TarEntry => ({
  name,
  mode: 0o644,
  content: new TextEncoder().encode(text),
});
/** An archive whose first head was changed, with its sum made right again. */
function changed(change: (head: Uint8Array) => void): Uint8Array {
  const bytes = writeTar([entry("a")]);
  change(bytes);
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  bytes.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return bytes;
}

Deno.test("writeTar() writes what tar lists and unpacks, always the same", async () => {
  const long = `${"d".repeat(90)}/${"f".repeat(90)}`;
  const entries = [entry("d/", ""), entry("d/a", "hello"), entry(long, "y".repeat(1000))];
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.writeFile(`${folder}/a.tar`, writeTar(entries));
    assert.deepEqual(writeTar(entries), await Deno.readFile(`${folder}/a.tar`));
    const tar = async (...args: string[]) =>
      new TextDecoder().decode((await new Deno.Command("tar", { args, cwd: folder }).output()).stdout);
    const listed = await tar("-tvf", "a.tar");
    assert.match(listed, /^drw-r--r-- root\/root\s+0 2020-01-01 00:00 d\/$/m);
    assert.match(listed, /^-rw-r--r-- root\/root\s+5 2020-01-01 00:00 d\/a$/m);
    assert.equal(await tar("-xOf", "a.tar", long), "y".repeat(1000));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readTar() gives back what was written", () => {
  const files = readTar(writeTar([entry("a", "1"), entry("b/c.d", "2".repeat(513))]));
  assert.deepEqual([...files].map(([name, bytes]) => [name, bytes.length]), [["a", 1], ["b/c.d", 513]]);
});

Deno.test("readTar() refuses what leads elsewhere, what is no file, and what is damaged (threat 4)", () => {
  for (const name of ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a\nb", ""]) {
    assert.throws(() => readTar(writeTar([entry(name)])), /not allowed/, name);
  }
  for (const kind of ["1", "2", "3", "5", "x"]) {
    assert.throws(() => readTar(changed((head) => head[156] = kind.charCodeAt(0))), /no regular file/, kind);
  }
  assert.throws(() => readTar(writeTar([entry("a"), entry("a")])), /twice/);
  const whole = writeTar([entry("a", "z".repeat(600))]);
  assert.throws(() => readTar(whole.slice(0, 700)), /cut off/);
  assert.throws(() => readTar(new Uint8Array(100)), /cut off/);
  whole[3] = 0x41;
  assert.throws(() => readTar(whole), /damaged/);
});
