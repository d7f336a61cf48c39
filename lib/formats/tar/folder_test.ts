/** Folders as tar files, read while they arrive in pieces of any size. */
import assert from "node:assert/strict";
import { joined } from "../../bytes.ts";
import { ArchiveError } from "./entries.ts";
import { FolderArchive, MOST_DEPTH } from "./folder.ts";
import { longTarHead, tarComment, tarEnd, tarHead, tarPadding } from "./tar.ts";

/** A file of four bytes. */
const file = (name: string, kind?: string) =>
  joined([
    kind === undefined
      ? longTarHead({ name, mode: 0o640, size: 4 })
      : tarHead({ name, mode: 0o640, size: 4, kind }),
    new TextEncoder().encode("text"),
    tarPadding(4),
  ]);

/** All that an archive holds, arriving in pieces of so many bytes. */
async function read(bytes: Uint8Array, piece: number) {
  let at = 0;
  const comments: string[] = [], found: string[] = [];
  const next = () => {
    const part = bytes.subarray(at, at += piece);
    return Promise.resolve(part.length === 0 ? null : part);
  };
  const archive = new FolderArchive(next, (comment) => comments.push(comment));
  for (let entry = await archive.entry(); entry !== null; entry = await archive.entry()) {
    const { names, kind, mode } = entry;
    let text = "";
    // Of one in two nothing is read
    if (found.length % 2 === 0) {
      for (let part = await archive.content(); part !== null; part = await archive.content()) {
        text += new TextDecoder().decode(part);
      }
    }
    found.push(`${names.join("/")} ${kind} ${mode.toString(8)} ${text}`);
  }
  return { found, comments };
}

Deno.test("a folder comes out as it went in, whatever the pieces are, with long names and links", async () => {
  const long = `${"ü".repeat(120)}/${"x".repeat(255)}`;
  const archive = joined([
    longTarHead({ name: "./", mode: 0o750, size: 0 }),
    tarComment("Left out: üx"),
    ...[file("./a"), longTarHead({ name: "b c/", mode: 0o700, size: 0 }), file(`b c/${long}`)],
    ...[file("b c/link", "2"), file("b c/pipe", "6"), tarEnd()],
  ]);
  for (const piece of [1, 100, 512, 100_000]) {
    const { found, comments } = await read(archive, piece);
    assert.deepEqual(comments, ["Left out: üx"]);
    assert.deepEqual(found, [
      " folder 750 ",
      "a file 640 ",
      "b c folder 700 ",
      `b c/${long} file 640 `,
      "b c/link link 640 text",
      "b c/pipe other 640 ",
    ]);
  }
});

Deno.test("no name leads out of the folder", async () => {
  const names = ["../x", "a/../../x", "/etc/x", "a//b", "a/./b", "new\nline", "..", "x".repeat(256)];
  for (const name of [...names, "d/".repeat(MOST_DEPTH) + "x"]) {
    await assert.rejects(read(joined([file(name), tarEnd()]), 512), ArchiveError, name);
  }
});

Deno.test("what is cut off, damaged or no tar file is told as such", async () => {
  const whole = joined([file("a"), file("b"), tarEnd()]);
  for (const length of [0, 100, 514, 1024, 1500, 2048]) {
    await assert.rejects(read(whole.subarray(0, length), 300), /it is cut off/, String(length));
  }
  const damaged = whole.slice();
  damaged[3] = 0x41;
  await assert.rejects(read(damaged, 512), /damaged/);
  const endless = tarHead({ name: "PaxHeader", mode: 0o644, size: 8 ** 11 - 1, kind: "x" });
  await assert.rejects(read(joined([endless, new Uint8Array(4096)]), 512), /too long/);
});
