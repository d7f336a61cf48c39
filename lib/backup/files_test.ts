import assert from "node:assert/strict";
import { fileContentHref, fileKind, filesHref, parentOf } from "./files.ts";

const COPY = { backupId: "b/1", runId: "r", vmId: "v" };

Deno.test("fileKind() tells what an entry is by its mode", () => {
  assert.deepEqual([0o100644, 0o040755, 0o120777, 0o060660, 0].map(fileKind), [
    ...["file", "folder", "link", "other", "other"],
  ]);
});

Deno.test("addresses of files hold whatever a name has", () => {
  const place = { filesystem: "/dev/sda1", path: "/a b/&run=x" };
  assert.equal(filesHref(COPY), "/backups/b%2F1/files?run=r&vm=v");
  assert.equal(
    filesHref(COPY, place),
    "/backups/b%2F1/files?run=r&vm=v&filesystem=%2Fdev%2Fsda1&path=%2Fa+b%2F%26run%3Dx",
  );
  assert.equal(
    fileContentHref(COPY, place),
    "/api/v1/backups/b%2F1/runs/r/vms/v/files/content?filesystem=%2Fdev%2Fsda1&path=%2Fa+b%2F%26run%3Dx",
  );
});

Deno.test("parentOf() goes up to the file systems", () => {
  const of = (path: string) => parentOf({ filesystem: "/dev/sda1", path })?.path;
  assert.deepEqual([of("/a/b"), of("/a"), of("/")], ["/a", "/", undefined]);
});
