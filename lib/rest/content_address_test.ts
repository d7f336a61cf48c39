import assert from "node:assert/strict";
import { COMMANDS } from "../contract/mod.ts";
import { contentAddress } from "./content_address.ts";

Deno.test("contentAddress() has the fields of the path in it, and in its query its other fields", () => {
  assert.equal(
    contentAddress(COMMANDS.upload_volume, {
      pool: "p 1",
      volume: "a/b.raw",
      size: 1,
      host: "kvm2",
      checksum: "sha256:1",
    }),
    "/api/v1/storage/pools/p%201/volumes/a%2Fb.raw/content?checksum=sha256%3A1&host=kvm2",
  );
  assert.equal(
    contentAddress(COMMANDS.download_volume, { pool: "p", volume: "v" }),
    "/api/v1/storage/pools/p/volumes/v/content",
  );
});
