import assert from "node:assert/strict";
import { MigrationNonsense, MigrationRefusal } from "./migration_protocol.ts";
import {
  type Piece,
  PIECE_HEAD,
  readPiece,
  readReplicationAnswer,
  readReplicationQuestion,
  writePiece,
} from "./replication_protocol.ts";

const ID = "0b56f4d2-3c65-4a0f-9b3d-9a3d5f3c9d10", COPY = "20261127-184240-0123abcd";
const MIB = 1024 ** 2;

Deno.test("readReplicationQuestion() takes what is asked, and no names that lead elsewhere", () => {
  const open = { do: "open", replicaId: ID, vmId: ID, name: "web1" };
  assert.deepEqual(readReplicationQuestion(JSON.stringify(open)), open);
  const begin = (more: object) => () =>
    readReplicationQuestion(JSON.stringify({
      do: "begin",
      copyId: COPY,
      since: null,
      everySeconds: 60,
      takeOld: false,
      disks: [],
      ...more,
    }));
  begin({ disks: [{ target: "vda", bytes: MIB, mode: "all" }] })();
  for (
    const wrong of [
      begin({ copyId: "../../etc" }),
      begin({ disks: [{ target: "../vda", bytes: MIB, mode: "all" }] }),
      begin({ disks: [{ target: "vda", bytes: 2 ** 53, mode: "all" }] }),
      begin({ disks: [{ target: "vda", bytes: MIB, mode: "some" }] }),
      begin({ more: 1 }),
      () => readReplicationQuestion(JSON.stringify({ ...open, replicaId: "../replica" })),
      ...["../../etc/x", "..", "", ID.toUpperCase(), `${ID}/..`].map((vmId) => () =>
        readReplicationQuestion(JSON.stringify({ ...open, vmId }))
      ),
      ...["../../etc/x", "a/b", "", "a\nb", "a\0b", "a\u007f"].map((name) => () =>
        readReplicationQuestion(JSON.stringify({ ...open, name }))
      ),
      () => readReplicationQuestion("{"),
    ]
  ) assert.throws(wrong, MigrationNonsense);
});

Deno.test("readReplicationAnswer() tells answers from refusals and nonsense", () => {
  assert.deepEqual(readReplicationAnswer("finish", JSON.stringify({ copyId: COPY })), { copyId: COPY });
  const refusal = JSON.stringify({ error: { code: "ReplicationBusy", message: "busy" } });
  assert.throws(() => readReplicationAnswer("finish", refusal), MigrationRefusal);
  assert.throws(() => readReplicationAnswer("finish", "{}"), MigrationNonsense);
  const digests = JSON.stringify({ digests: ["", "no digest"] });
  assert.throws(() => readReplicationAnswer("digests", digests), MigrationNonsense);
});

Deno.test("readPiece() gives what writePiece() was given, of places within the disks alone", () => {
  const payload = new Uint8Array(65_536).fill(7);
  const piece: Piece = { disk: 1, kind: "plain", offset: 65_536, length: 65_536, payload };
  const disks = [MIB, MIB];
  assert.deepEqual({ ...readPiece(writePiece(piece), disks) }, piece);
  // The end of a disk may lie within a cluster
  const end: Piece = { disk: 0, kind: "zeros", offset: MIB, length: 512, payload: new Uint8Array(0) };
  assert.deepEqual({ ...readPiece(writePiece(end), [MIB + 512]) }, end);
  for (
    const wrong of [
      { ...piece, disk: 2 },
      { ...piece, offset: MIB },
      { ...piece, offset: 512 },
      { ...piece, length: 512 },
      { ...piece, length: 0 },
      { ...piece, length: 131_072 },
      { ...piece, kind: "zeros" as const },
      { ...piece, kind: "zstd" as const, payload: new Uint8Array(0) },
      { ...piece, kind: "zstd" as const, offset: 0, length: MIB },
      { ...end, length: 2 * MIB },
    ]
  ) assert.throws(() => readPiece(writePiece(wrong), disks), MigrationNonsense, JSON.stringify(wrong.kind));
  assert.throws(() => readPiece(writePiece(piece).subarray(0, PIECE_HEAD - 1), disks), MigrationNonsense);
  const unknown = writePiece(piece);
  unknown[1] = 9;
  assert.throws(() => readPiece(unknown, disks), MigrationNonsense);
});
