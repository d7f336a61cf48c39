/**
 * How one KVM Manager brings the replica of a VM on another one up to date: questions and answers on one WebSocket, and pieces
 * of disks between them as bytes. Each question is answered before the next is asked; pieces are not answered. Pure.
 */
import Type, { type Static, type TSchema } from "typebox";
import { fits } from "typebox/compile";
import { CONSISTENCIES } from "../backup/manifest.ts";
import { closed, oneOf } from "../contract/schema.ts";
import { PoolName } from "../contract/storage.ts";
import { parseJson } from "../text/json.ts";
import {
  MigrationFinding,
  MigrationNonsense,
  MigrationRefusal,
  MOST_STATE,
  STATE_FILES,
} from "./migration_protocol.ts";

/** Path of the WebSocket, below the server's. */
export const REPLICATION_PATH = "/api/link/replications";

/** Bytes of a disk that are compared, and sent, as one. */
export const BLOCK_BYTES = 256 * 1024;
/** Blocks whose digests are asked for at once. */
export const MOST_DIGESTS = 2048;
/** Bytes of the largest disk that is replicated: 64 TiB. */
const MOST_BYTES = 64 * 1024 ** 4;
/** Bytes of a cluster, the least that changes. */
const CLUSTER = 65_536;

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const Target = Type.String({ pattern: "^[a-z]{2,8}$" });
const Bytes = Type.Integer({ minimum: 1, maximum: MOST_BYTES });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** SHA-256 in hexadecimal digits. */
const Digest = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Uuid = Type.String({ pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" });
/** A VM's name, as libvirt takes it: files are called by it. */
const Name = Type.String({ minLength: 1, maxLength: 255, pattern: "^[^/\\u0000-\\u001f\\u007f]+$" });
const CopyId = Type.String({ pattern: "^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$" });
const Time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** How a disk comes: what changed since the last increment, what differs of it, or all of it. */
export const DISK_MODES = ["changes", "differences", "all"] as const;
export type DiskMode = typeof DISK_MODES[number];

/** A disk that comes. */
export const ReplicatedDisk = closed({ target: Target, bytes: Bytes, mode: oneOf(DISK_MODES) });
export type ReplicatedDisk = Static<typeof ReplicatedDisk>;

/** Digest of a disk that was sent, to be compared. */
export const SentDisk = closed({
  target: Target,
  pieces: Count,
  /** SHA-256 of all pieces, in order, as {@link pieceMark} and content. */
  digest: Digest,
});
export type SentDisk = Static<typeof SentDisk>;

export const ReplicationQuestion = Type.Union([
  /** "What do you have of it?" */
  closed({ do: Type.Literal("open"), replicaId: Uuid, vmId: Uuid, name: Name }),
  /** "An increment comes." */
  closed({
    do: Type.Literal("begin"),
    copyId: CopyId,
    /** The increment that changes are of; null where everything is compared or sent. */
    since: Type.Union([CopyId, Type.Null()]),
    everySeconds: Type.Integer({ minimum: 1, maximum: 604_800 }),
    /** Pool for a new replica; the usual pool when left out. */
    pool: Type.Optional(PoolName),
    /** A VM of that id which is there, and no longer the owner, becomes the replica. */
    takeOld: Type.Boolean(),
    disks: Type.Array(ReplicatedDisk, { maxItems: 64 }),
  }),
  /** "What do these blocks of the disk have?" */
  closed({
    do: Type.Literal("digests"),
    target: Target,
    from: Count,
    count: Type.Integer({ minimum: 1, maximum: MOST_DIGESTS }),
  }),
  closed({ do: Type.Literal("definition"), xml: Text(400_000) }),
  /** "Its UEFI variables", or a file of its TPM: base64. */
  closed({ do: Type.Literal("state"), name: oneOf(STATE_FILES), content: Text(MOST_STATE) }),
  /** "That was all of it." */
  closed({
    do: Type.Literal("finish"),
    takenAt: Time,
    consistency: oneOf(CONSISTENCIES),
    disks: Type.Array(SentDisk, { maxItems: 64 }),
  }),
  /** "Nothing was written since that increment." */
  closed({ do: Type.Literal("unchanged"), copyId: CopyId, takenAt: Time }),
  /** "Could the VM run there, by its last whole increment?" */
  closed({ do: Type.Literal("check") }),
  /** "Make a VM of it, and start it if so": it is off here, and this increment is its last. */
  closed({ do: Type.Literal("promote"), copyId: CopyId, start: Type.Boolean() }),
  /** "It is not needed any more." */
  closed({ do: Type.Literal("forget") }),
]);
export type ReplicationQuestion = Static<typeof ReplicationQuestion>;

/**
 * State on the other server: no replica yet, a replica, a VM that was made of it, or a VM of that id which is no
 * replica.
 */
export const REPLICA_STATES = ["none", "replica", "promoted", "old", "other"] as const;

const Held = Type.Object({
  state: oneOf(REPLICA_STATES),
  /** The last increment that is whole. */
  copyId: Type.Union([CopyId, Type.Null()]),
  /** When the VM was made of it. */
  promotedAt: Type.Union([Time, Type.Null()]),
  /** It is being tested: increments are kept, and not merged yet. */
  isTested: Type.Boolean(),
  /** Disks that what differs can be told of. */
  disks: Type.Array(Type.Object({ target: Target, bytes: Bytes }), { maxItems: 64 }),
});
/** Replica of a VM on the other server. */
export type HeldReplica = Static<typeof Held>;

/** The answer to each question. */
export const REPLICATION_ANSWERS = {
  open: Held,
  begin: Held,
  /** Of each block its SHA-256 in base64, empty where it is zeros. */
  digests: Type.Object({
    digests: Type.Array(Type.String({ maxLength: 44, pattern: "^([A-Za-z0-9+/]{43}=)?$" }), {
      maxItems: MOST_DIGESTS,
    }),
  }),
  definition: Type.Object({}),
  state: Type.Object({}),
  finish: Type.Object({ copyId: CopyId }),
  unchanged: Type.Object({}),
  check: Type.Object({ findings: Type.Array(MigrationFinding, { maxItems: 100 }) }),
  promote: Type.Object({ started: Type.Boolean() }),
  forget: Type.Object({}),
} as const satisfies Record<ReplicationQuestion["do"], TSchema>;
export type ReplicationAnswers = {
  readonly [Q in keyof typeof REPLICATION_ANSWERS]: Static<typeof REPLICATION_ANSWERS[Q]>;
};

const Refusal = Type.Object({ error: Type.Object({ code: Text(60), message: Text(4000) }) });

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new MigrationNonsense("it does not answer as KVM Manager does", { cause: error });
  }
}

/** Reads a question. @throws {MigrationNonsense} */
export function readReplicationQuestion(text: string): ReplicationQuestion {
  const asked = parsed(text);
  if (fits(ReplicationQuestion, asked)) return asked;
  throw new MigrationNonsense("it asks for what this version does not know");
}

/** Reads the answer to a question. @throws {MigrationRefusal | MigrationNonsense} */
export function readReplicationAnswer<Q extends keyof ReplicationAnswers>(
  question: Q,
  text: string,
): ReplicationAnswers[Q] {
  const answer = parsed(text);
  if (fits(Refusal, answer)) throw new MigrationRefusal(answer.error);
  if (fits(REPLICATION_ANSWERS[question] as TSchema, answer)) return answer as ReplicationAnswers[Q];
  throw new MigrationNonsense(`its answer to "${question}" is not as this version knows it`);
}

/** Kinds of pieces: zeros, plain content, or content compressed by zstd. */
const KINDS = ["zeros", "plain", "zstd"] as const;

/** A piece of a disk. */
export interface Piece {
  /** Index of the disk in the increment. */
  readonly disk: number;
  readonly kind: typeof KINDS[number];
  /** Offset in the disk: a multiple of 65,536. */
  readonly offset: number;
  /** Bytes of the disk that it stands for. */
  readonly length: number;
  readonly payload: Uint8Array;
}

/** Bytes before the content: disk, kind, offset, length. */
export const PIECE_HEAD = 14;

/** Prefix of a piece in the digest of its disk, before its content: its offset and length. */
export function pieceMark(offset: number, length: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(12));
  view.setBigUint64(0, BigInt(offset));
  view.setUint32(8, length);
  return new Uint8Array(view.buffer);
}

/** A piece as a message. */
export function writePiece({ disk, kind, offset, length, payload }: Piece): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PIECE_HEAD + payload.length);
  bytes[0] = disk;
  bytes[1] = KINDS.indexOf(kind);
  bytes.set(pieceMark(offset, length), 2);
  bytes.set(payload, PIECE_HEAD);
  return bytes;
}

/** Reads a message. @param disks bytes of each disk of the increment @throws {MigrationNonsense} for what lies in none of them */
export function readPiece(message: Uint8Array, disks: readonly number[]): Piece {
  const nonsense = () => new MigrationNonsense("a piece of a disk is not as this version knows it");
  if (message.length < PIECE_HEAD) throw nonsense();
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const disk = message[0]!, kind = KINDS[message[1]!], size = disks[disk];
  const offset = Number(view.getBigUint64(2)), length = view.getUint32(10);
  if (kind === undefined || size === undefined || length === 0 || offset % CLUSTER !== 0) throw nonsense();
  const end = offset + length, payload = message.subarray(PIECE_HEAD);
  // What ends within a cluster ends with the disk
  if (end > size || (end % CLUSTER !== 0 && end !== size)) throw nonsense();
  const isRight = kind === "zeros"
    ? payload.length === 0
    : length <= BLOCK_BYTES && payload.length > 0 && (kind === "zstd" || payload.length === length);
  if (!isRight) throw nonsense();
  return { disk, kind, offset, length, payload };
}
