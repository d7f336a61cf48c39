/**
 * How one KVM Manager moves a VM to another: what is said on the one WebSocket that the move lasts, and where the lines of
 * libvirt and QEMU go. Each question is answered before the next is asked. Pure.
 */
import Type, { type Static, type TSchema } from "typebox";
import { fits } from "typebox/compile";
import { closed, oneOf, VmId } from "../contract/schema.ts";
import { MOST_LABEL } from "../contract/metric_series.ts";
import { METRIC_RESOLUTIONS } from "../contract/metric_times.ts";
import { PoolName } from "../contract/storage.ts";
import { TPM_FILES } from "../formats/swtpm.ts";
import { parseJson } from "../text/json.ts";

/** Path of the WebSockets, below the server's. */
export const MIGRATION_PATH = "/api/link/migrations";

/** The lines between both hosts: calls of libvirt, memory, and disks. */
export const MIGRATION_LINES = ["libvirt", "memory", "disks"] as const;
export type MigrationLine = typeof MIGRATION_LINES[number];

/** Path of a line of a move. */
export const migrationLinePath = (line: MigrationLine): string => `${MIGRATION_PATH}/${line}`;

/** The line that a path is of; undefined for another path. */
export const migrationLineOf = (pathname: string): MigrationLine | undefined =>
  MIGRATION_LINES.find((line) => pathname === migrationLinePath(line));

/** Characters of a definition. */
const LONGEST_XML = 400_000;
const Xml = Type.String({ minLength: 1, maxLength: LONGEST_XML });
const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const Target = Text(32);

/** Folder of the sockets: the same on both hosts, for QEMU on both is told one path. */
const Folder = Type.String({ pattern: "^/run/libvirt/qemu/kvm-manager-[0-9a-f]{16}$" });
/** Secret of a move, which its connections present. */
const Secret = Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" });

/** Images of one disk, with those of its snapshots. */
export const MOST_IMAGE_FILES = 64;
/** One of them. */
export const ImageFile = closed({
  path: Type.String({ minLength: 2, maxLength: 4096, pattern: "^/" }),
  /** Length of the file, which is copied byte by byte. */
  bytes: Type.Integer({ minimum: 0 }),
  format: oneOf(["qcow2", "raw"]),
  /** Index of its backing file among the disk's files. */
  backing: Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_IMAGE_FILES })),
});
export type ImageFile = Static<typeof ImageFile>;
/** Snapshots of a VM. */
export const MOST_SNAPSHOTS = 500;

/** A VM that is to come, with what its definition does not tell. */
export const IncomingVm = closed({
  vmId: VmId,
  /** As it runs, and as it starts next. */
  live: Xml,
  next: Xml,
  /** It starts with its host. */
  autostart: Type.Boolean(),
  /** It is off: its disks are copied by themselves, and what libvirt keeps of it in addition to its definition. */
  isOff: Type.Boolean(),
  disks: Type.Array(
    closed({
      target: Target,
      /** Bytes, as its guest sees it. */
      size: Type.Integer({ minimum: 0 }),
      /** Name and content of a file that was put into its folder: who sees it, sees the disk. */
      mark: Type.Optional(closed({
        name: Type.String({ pattern: "^\\.kvm-manager-[0-9a-f]{32}$" }),
        content: Secret,
      })),
      /** Its images as they are, for snapshots need them, the one in use first; missing: what its guest sees is copied. */
      files: Type.Optional(Type.Array(ImageFile, { minItems: 1, maxItems: MOST_IMAGE_FILES })),
    }),
    { maxItems: 64 },
  ),
  /** Pool for copies of all disks; `pools` names those of single disks by their target. */
  pool: Type.Optional(PoolName),
  pools: Type.Optional(Type.Record(Target, PoolName, { maxProperties: 64 })),
  /** Networks by their names here → there. */
  networks: Type.Optional(Type.Record(Text(256), Text(256), { maxProperties: 64 })),
});
export type IncomingVm = Static<typeof IncomingVm>;

/** Files that libvirt keeps of a VM in addition to its definition. */
export const STATE_FILES = ["nvram", ...TPM_FILES] as const;
export type StateFile = typeof STATE_FILES[number];
/** Characters of one, as base64: with the rest of a question less than a message of a WebSocket may have. */
export const MOST_STATE = 1_000_000;

/** Characters that are carried to find out how fast the link is. */
export const MOST_FILLER = 500_000;
/** Characters of figures in one question, as base64. */
export const MOST_FIGURES = 400_000;
/** Figures of a VM: points of some of its series at a resolution, each as a chunk of the metrics' store, in base64. */
export const FigurePart = closed({
  resolution: oneOf(METRIC_RESOLUTIONS),
  series: Type.Array(
    closed({
      name: Text(64),
      label: Type.String({ maxLength: MOST_LABEL }),
      chunk: Text(MOST_FIGURES),
    }),
    { maxItems: 64 },
  ),
});
export type FigurePart = Static<typeof FigurePart>;

/** Index of a disk's file; missing: the disk is one volume. */
const FileIndex = Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_IMAGE_FILES }));
const Hash = Type.String({ pattern: "^[0-9a-f]{64}$" });

export const MigrationQuestion = Type.Union([
  /** "Can it run with you, and how?" */
  closed({ do: Type.Literal("look"), vm: IncomingVm }),
  /** How fast the link is: it is only carried. */
  closed({ do: Type.Literal("probe"), filler: Text(MOST_FILLER) }),
  /** "Make its disks, and open the lines." */
  closed({ do: Type.Literal("prepare") }),
  /** Of a VM that is off. "Take the content of this disk", and "that was all of it". */
  closed({ do: Type.Literal("open-disk"), target: Target, file: FileIndex }),
  closed({ do: Type.Literal("close-disk"), target: Target, file: FileIndex }),
  /** "Its UEFI variables", or a file of its TPM: base64. */
  closed({ do: Type.Literal("keep-state"), name: oneOf(STATE_FILES), content: Text(MOST_STATE) }),
  /** "One of its snapshots", parents before their children. */
  closed({ do: Type.Literal("keep-snapshot"), xml: Xml, isCurrent: Type.Boolean() }),
  /** "Define it." */
  closed({ do: Type.Literal("define") }),
  /** "It has moved", or "it stays". */
  closed({ do: Type.Literal("end"), hasMoved: Type.Boolean() }),
  /** Once it has moved. "These were its figures here." */
  closed({ do: Type.Literal("keep-figures"), figures: FigurePart }),
  /** "Do you have it?" */
  closed({ do: Type.Literal("find"), vmId: VmId }),
]);
export type MigrationQuestion = Static<typeof MigrationQuestion>;

/** An obstacle or a warning: the check, and its names. Checks of a newer version may be unknown. */
export const MigrationFinding = Type.Object({
  check: Text(40),
  isProblem: Type.Boolean(),
  names: Type.Record(Text(20), Type.String({ maxLength: 1000 }), { maxProperties: 8 }),
});
export type MigrationFinding = Static<typeof MigrationFinding>;

/** Placement of a disk. */
export const IncomingDisk = Type.Object({
  target: Target,
  /** Both hosts see the image; else its content is copied into a volume of the pool. */
  isShared: Type.Boolean(),
  pool: Type.Optional(PoolName),
  volume: Type.Optional(Text(1024)),
  path: Type.Optional(Text(4096)),
});
export type IncomingDisk = Static<typeof IncomingDisk>;

/** State of a VM on the host that was asked: `incoming` while a move to it goes on, `missing` if it is not there. */
export const INCOMING_STATES = ["missing", "incoming", "running", "paused", "off"] as const;
export type IncomingState = typeof INCOMING_STATES[number];

/** The answer to each question. */
export const MIGRATION_ANSWERS = {
  look: Type.Object({
    findings: Type.Array(MigrationFinding, { maxItems: 100 }),
    disks: Type.Array(IncomingDisk, { maxItems: 64 }),
    /** Major × 1,000,000 + minor × 1000 + release. */
    libvirtVersion: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
  probe: Type.Object({}),
  prepare: Type.Object({ secret: Secret, folder: Folder, live: Xml, next: Xml }),
  /** `isZero`: nothing was ever written to it. */
  "open-disk": Type.Object({ isZero: Type.Boolean() }),
  "close-disk": Type.Object({}),
  "keep-state": Type.Object({}),
  "keep-snapshot": Type.Object({}),
  /** SHA-256 of what lies there now of what libvirt keeps of it. */
  define: Type.Object({
    state: Type.Array(Type.Object({ name: oneOf(STATE_FILES), sha256: Hash }), { maxItems: 20 }),
  }),
  end: Type.Object({ state: oneOf(INCOMING_STATES) }),
  "keep-figures": Type.Object({}),
  find: Type.Object({ state: oneOf(INCOMING_STATES) }),
} as const satisfies Record<MigrationQuestion["do"], TSchema>;
export type MigrationAnswers = {
  readonly [Q in keyof typeof MIGRATION_ANSWERS]: Static<typeof MIGRATION_ANSWERS[Q]>;
};

/** The answer where there is none: an error of the contract. */
const Refusal = Type.Object({ error: Type.Object({ code: Text(60), message: Text(4000) }) });

/** The other one does not answer as it should. */
export class MigrationNonsense extends Error {
  override readonly name = "MigrationNonsense";
}

/** Refusal of the other server. */
export class MigrationRefusal extends Error {
  override readonly name = "MigrationRefusal";
  /** @param body the error, as JSON has it */
  constructor(readonly body: unknown) {
    super("the other host refuses");
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new MigrationNonsense("it does not answer as KVM Manager does", { cause: error });
  }
}

/** Reads a question. @throws {MigrationNonsense} */
export function readQuestion(text: string): MigrationQuestion {
  const asked = parsed(text);
  if (fits(MigrationQuestion, asked)) return asked;
  throw new MigrationNonsense("it asks for what this version does not know");
}

/** Reads the answer to a question. @throws {MigrationRefusal | MigrationNonsense} */
export function readAnswer<Q extends keyof MigrationAnswers>(question: Q, text: string): MigrationAnswers[Q] {
  const answer = parsed(text);
  if (fits(Refusal, answer)) throw new MigrationRefusal(answer.error);
  if (fits(MIGRATION_ANSWERS[question] as TSchema, answer)) return answer as MigrationAnswers[Q];
  throw new MigrationNonsense(`its answer to "${question}" is not as this version knows it`);
}

/** Characters of the path of a UNIX socket (sockaddr_un). */
const LONGEST_SOCKET = 107;

/**
 * The socket of a line. Its name is one that libvirt's AppArmor profile lets a VM's QEMU open, where that fits.
 * Source: libvirt's virt-aa-helper, `*.tunnelmigrate.dest.NAME`.
 */
export function socketOf(folder: string, line: MigrationLine, vmName: string): string {
  const usual = `${folder}/${line}.tunnelmigrate.dest.${vmName}`;
  const fitsSocket = !vmName.includes("/") && new TextEncoder().encode(usual).length <= LONGEST_SOCKET;
  return fitsSocket ? usual : `${folder}/${line}`;
}
