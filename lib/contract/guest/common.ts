/** Common parts of the commands in a guest: paths, accounts, their errors, and the permissions that reach into it. */
import Type from "typebox";
import { closed, oneOf, VmId } from "../schema.ts";

/** A path inside the guest. */
export const GuestPath = Type.String({
  minLength: 1,
  maxLength: 4096,
  pattern: "^(/|[A-Za-z]:[\\\\/])[^\\u0000-\\u001f\\u007f]*$",
  description: "absolute path inside the guest",
});
/** An account in the guest. */
export const GuestAccount = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: "^[^\\u0000-\\u001f\\u007f:]+$",
  description: "account in the guest",
});
/** How a text stands for bytes. */
export const ENCODINGS = ["text", "base64"] as const;
/** The field that says so. */
export const Encoding = Type.Optional(
  oneOf(ENCODINGS, { description: "text (UTF-8), when left out; or base64, for any bytes" }),
);
/** How much there is of something. */
export const ByteCount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "bytes" });
/** A checksum, as `sha256sum` prints it. */
export const Sha256 = Type.String({ maxLength: 64, pattern: "^[0-9a-fA-F]{64}$" });

/** Asks for one VM. */
export const OneVm = closed({ vmId: VmId });
/** Errors of a question to a guest, of a change in it, and of access to its files. */
export const ASKING = ["VmNotFound", "VmNotRunning", "GuestUnavailable", "GuestSilent", "GuestBusy"] as const;
export const DOING = [...ASKING, "GuestRefused"] as const;
export const FILES = [...DOING, "GuestFileNotFound", "GuestFileDenied"] as const;

/** Rights that reach into a guest: whoever has them is root in it. */
export const EXEC = { role: "administrator", permission: "guest.exec" } as const;
export const FILE = { role: "administrator", permission: "guest.files" } as const;
export const ACCOUNTS = { role: "administrator", permission: "guest.accounts" } as const;
