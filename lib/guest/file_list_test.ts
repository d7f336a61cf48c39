import assert from "node:assert/strict";
import { listCommand, listedFiles } from "./file_list.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("listCommand() has the folder as one argument, behind which its link is followed", () => {
  const [command, path] = listCommand("/tmp/a b; rm -rf /");
  assert.deepEqual([command, path], ["find", "/tmp/a b; rm -rf /."]);
  assert.equal(listCommand("/")[1], "/.");
});

Deno.test("listedFiles() reads files, folders first", () => {
  const { files, truncated } = listedFiles(
    "/etc/",
    bytes(
      "81a4 12 1700000000 0:root 0:root /etc/./passwd\n41ed 40 1700000001 1000:ann 1001:UNKNOWN /etc/./apt\n",
    ),
  );
  assert.equal(truncated, false);
  assert.deepEqual(files, [
    {
      name: "apt",
      kind: "folder",
      size: 40,
      modifiedAt: 1_700_000_001_000,
      mode: "0755",
      owner: "ann",
      group: "1001",
    },
    {
      name: "passwd",
      kind: "file",
      size: 12,
      modifiedAt: 1_700_000_000_000,
      mode: "0644",
      owner: "root",
      group: "root",
    },
  ]);
});

Deno.test("listedFiles() takes no name for a file of its own, and bounds their number", () => {
  const { files } = listedFiles(
    "/tmp",
    bytes("81a4 1 5 1:a 1:a /tmp/./x\n81a4 9 0 root root nothing\nmore\n"),
  );
  assert.deepEqual(files.map(({ name }) => name), ["x\n81a4 9 0 root root nothing\nmore"]);
  const many = listedFiles(
    "/",
    bytes(Array.from({ length: 3000 }, (_, n) => `81a4 1 5 1:a 1:a /./${n}\n`).join("")),
  );
  assert.deepEqual([many.files.length, many.truncated], [2000, true]);
  assert.deepEqual(listedFiles("/", bytes("no such thing")).files, []);
});
