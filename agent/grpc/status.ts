/**
 * Errors as gRPC has them: the code, our text, and in trailers what programs branch on. `google.rpc.Status` has the same with
 * the details; the plain trailer is for clients without it.
 */
import { Buffer } from "node:buffer";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Codec } from "../../lib/grpc/codec.ts";
import { NoMessage } from "../../lib/grpc/codec.ts";
import { GRPC, grpcCode } from "../../lib/grpc/status.ts";
import { asContractError } from "../libvirt/failure.ts";
import { message } from "../../lib/i18n/message.ts";

/** Names the error's code of the contract. */
export const CODE_TRAILER = "kvmm-error-code";
const DETAILS_TRAILER = "grpc-status-details-bin";
/** Domain of our codes (google.rpc.ErrorInfo). */
const DOMAIN = "kvm-manager";
/** Bytes of details that go along: heads have a limit, and what is cut is in the text. */
const MOST_DETAILS = 4096;
/** Characters of the text in a trailer. */
const MOST_TEXT = 2000;

/** Status that a call ends with. */
export type CallStatus = Pick<ServiceError, "code" | "details" | "metadata">;

/** A message that cannot be read, as an error of the contract; anything else as it is. */
const readable = (thrown: unknown): unknown =>
  thrown instanceof NoMessage
    ? new ContractError("InvalidInput", { reason: message`the message cannot be read: ${thrown.message}` })
    : thrown;

/** Status of a call that was refused, or failed. */
export function statusOf(codec: Codec, thrown: unknown): CallStatus {
  const error = asContractError(readable(thrown), "grpc", "a call by gRPC");
  const { code: reason, message, details = {} } = error.toJSON(), code = grpcCode(reason);
  const text = message.length > MOST_TEXT ? `${message.slice(0, MOST_TEXT)}…` : message;
  const told = Object.fromEntries(
    Object.entries(details).map(([name, value]) =>
      [name, typeof value === "string" ? value : JSON.stringify(value) ?? ""] as const
    ),
  );
  const statusWith = (metadata: Readonly<Record<string, string>>) =>
    codec.encode("google.rpc.Status", {
      code,
      message: text,
      details: [{
        typeUrl: "type.googleapis.com/google.rpc.ErrorInfo",
        value: codec.encode("google.rpc.ErrorInfo", { reason, domain: DOMAIN, metadata }),
      }],
    });
  const whole = statusWith(told);
  const metadata = new Metadata();
  metadata.set(CODE_TRAILER, reason);
  metadata.set(DETAILS_TRAILER, bufferOf(whole.length > MOST_DETAILS ? statusWith({}) : whole));
  return { code: code === GRPC.OK ? GRPC.UNKNOWN : code, details: text, metadata };
}

/** The same bytes as grpc-js wants them. */
export const bufferOf = (bytes: Uint8Array<ArrayBuffer>) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
