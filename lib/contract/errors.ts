/**
 * Every error the system can answer with: code → text, HTTP status, CLI exit status.
 *
 * Texts are CONTRACT.md's, word for word; `{name}` places are filled from the error's details.
 */

import { type Message, render, renderPlain, type Sentence, vmIdsIn } from "../i18n/message.ts";
import { ACCESS_ERRORS } from "./errors/access.ts";
import { ALERT_ERRORS } from "./errors/alerts.ts";
import { BACKUP_ERRORS } from "./errors/backups.ts";
import { BIN_ERRORS } from "./errors/bin.ts";
import { CLOUD_INIT_ERRORS } from "./errors/cloud_init.ts";
import { CONSOLE_ERRORS } from "./errors/consoles.ts";
import { CONTENT_ERRORS } from "./errors/content.ts";
import { CREATE_ERRORS } from "./errors/create.ts";
import { DEVICE_ERRORS } from "./errors/devices.ts";
import { FORWARD_ERRORS } from "./errors/forwards.ts";
import { GRPC_ERRORS } from "./errors/grpc.ts";
import { GUEST_ERRORS } from "./errors/guest.ts";
import { HARDWARE_ERRORS } from "./errors/hardware.ts";
import { HOST_DEVICE_ERRORS } from "./errors/host_devices.ts";
import { HOST_ERRORS } from "./errors/hosts.ts";
import { IMAGE_ERRORS } from "./errors/images.ts";
import { INPUT_ERRORS } from "./errors/input.ts";
import { JOB_ERRORS } from "./errors/jobs.ts";
import type { ErrorKind } from "./errors/kind.ts";
import { LIBVIRT_ERRORS } from "./errors/libvirt.ts";
import { LOCK_MANAGER_ERRORS } from "./errors/lock_manager.ts";
import { MANAGE_ERRORS } from "./errors/manage.ts";
import { MCP_ERRORS } from "./errors/mcp.ts";
import { NETWORK_ERRORS } from "./errors/networks.ts";
import { PROFILE_ERRORS } from "./errors/profiles.ts";
import { PROJECT_ERRORS } from "./errors/projects.ts";
import { REPLICATION_ERRORS } from "./errors/replication.ts";
import { SCHEDULE_ERRORS } from "./errors/schedules.ts";
import { SERVER_ERRORS } from "./errors/server.ts";
import { SNAPSHOT_ERRORS } from "./errors/snapshots.ts";
import { STORAGE_ERRORS } from "./errors/storage.ts";
import { TEMPLATE_ERRORS } from "./errors/templates.ts";
import { VM_ERRORS } from "./errors/vms.ts";

export type { ErrorKind };

/** The one table of errors, by noun. Adding a code to one of them is all it takes for every door to know it. */
export const ERRORS = {
  ...INPUT_ERRORS,
  ...ACCESS_ERRORS,
  ...HOST_ERRORS,
  ...LOCK_MANAGER_ERRORS,
  ...VM_ERRORS,
  ...CREATE_ERRORS,
  ...CONSOLE_ERRORS,
  ...MANAGE_ERRORS,
  ...SNAPSHOT_ERRORS,
  ...GUEST_ERRORS,
  ...TEMPLATE_ERRORS,
  ...CLOUD_INIT_ERRORS,
  ...DEVICE_ERRORS,
  ...HOST_DEVICE_ERRORS,
  ...HARDWARE_ERRORS,
  ...STORAGE_ERRORS,
  ...NETWORK_ERRORS,
  ...FORWARD_ERRORS,
  ...JOB_ERRORS,
  ...SCHEDULE_ERRORS,
  ...BACKUP_ERRORS,
  ...REPLICATION_ERRORS,
  ...BIN_ERRORS,
  ...CONTENT_ERRORS,
  ...IMAGE_ERRORS,
  ...LIBVIRT_ERRORS,
  ...ALERT_ERRORS,
  ...MCP_ERRORS,
  ...GRPC_ERRORS,
  ...PROJECT_ERRORS,
  ...PROFILE_ERRORS,
  ...SERVER_ERRORS,
} as const satisfies Record<string, ErrorKind>;

/** The code of an error: PascalCase, stable, what programs branch on. */
export type ErrorCode = keyof typeof ERRORS;

/** Error in an answer. The same shape at every interface. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Record<string, unknown>;
}

/** Message of an error, as a part of another message. */
export const sentenceOf = (thrown: unknown): Sentence =>
  thrown instanceof ContractError
    ? thrown.sentence
    : thrown instanceof Error
    ? thrown.message
    : String(thrown);

/** A detail of an error that another one tells: a sentence stays one. What the error says where it has no such detail. */
export const detailOf = ({ details, sentence }: ContractError, name: string): Sentence =>
  (details?.[name] ?? sentence) as Sentence;

/** The text of an error with what fills its places. */
function messageOf(code: ErrorCode, details: Record<string, unknown> = {}): Message {
  const kind: ErrorKind = ERRORS[code], verb = details.verb;
  const ofVerb = typeof verb === "string" && kind.byVerb && Object.hasOwn(kind.byVerb, verb)
    ? kind.byVerb[verb]
    : undefined;
  return { $text: ofVerb ?? kind.text, args: details };
}

/** Fills `{key}` places of an error text. A missing value stays visible as `{key}`: it is a bug to be seen. */
export function errorText(code: ErrorCode, details: Record<string, unknown> = {}): string {
  return render(messageOf(code, details));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * An error of the contract: thrown by services, carried unchanged to every door. It keeps what happened; its message is made
 * from that for who reads it, in their language. Details name VMs by their ids (`lib/i18n/message.ts`).
 *
 * @example
 * ```ts
 * throw new ContractError("VolumeInUse", { vm: vmName(vm), pool, name });
 * ```
 */
export class ContractError extends Error {
  override readonly name = "ContractError";
  readonly code: ErrorCode;
  readonly details?: Record<string, unknown>;
  /** The text of its own that it has in the place of the table's. */
  readonly ownText: Sentence | undefined;

  /**
   * @param message Replaces the table's text, where the contract gives a field an exact text of its own.
   */
  constructor(
    code: ErrorCode,
    details?: Record<string, unknown>,
    { cause, message }: { cause?: unknown; message?: Sentence | undefined } = {},
  ) {
    super(undefined, { cause });
    this.code = code;
    if (details !== undefined) this.details = details;
    this.ownText = message;
  }

  /** The message, as a part of another message or to be kept. */
  get sentence(): Sentence {
    return this.ownText ?? messageOf(this.code, this.details);
  }

  /** Its text in the language of what is done now. */
  override get message(): string {
    return render(this.sentence);
  }

  /** The VMs that it names. */
  get about(): readonly { readonly vmId: string }[] {
    const ids = vmIdsIn([this.ownText, ...Object.values(this.details ?? {})]);
    return [...ids].map((vmId) => ({ vmId }));
  }

  /** HTTP status of this error. */
  get status(): (typeof ERRORS)[ErrorCode]["status"] {
    return ERRORS[this.code].status;
  }

  /** Exit status of this error on the command line. */
  get exit(): number {
    return ERRORS[this.code].exit;
  }

  /** The wire shape. */
  toJSON(): ErrorBody {
    const details = this.details &&
      Object.fromEntries(Object.entries(this.details).map(([name, each]) => [name, renderPlain(each)]));
    return { code: this.code, message: this.message, ...(details && { details }) };
  }

  /** Rebuilds an error from the wire; an unknown code (a newer server) becomes `Internal` with its own text. */
  static fromBody(body: unknown): ContractError {
    const { code, message, details } = (body ?? {}) as { [K in keyof ErrorBody]?: unknown };
    const known = typeof code === "string" && Object.hasOwn(ERRORS, code);
    return new ContractError(
      known ? code as ErrorCode : "Internal",
      isRecord(details) ? details : undefined,
      typeof message === "string" && message !== "" ? { message } : {},
    );
  }
}
