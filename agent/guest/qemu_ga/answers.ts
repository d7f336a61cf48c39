/** The shapes of what QEMU's guest agent answers; what has another is refused. Source: qga/qapi-schema.json. */
import Type, { type Static, type TSchema } from "typebox";
import { fits } from "typebox/compile";
import { ContractError } from "../../../lib/contract/errors.ts";
import { message } from "../../../lib/i18n/message.ts";

const Text = Type.String({ maxLength: 4 * 1024 * 1024 });
const Handle = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const AgentInfo = Type.Object({
  version: Type.String({ maxLength: 256 }),
  supported_commands: Type.Array(
    Type.Object({ name: Type.String({ maxLength: 128 }), enabled: Type.Boolean() }),
    { maxItems: 1000 },
  ),
});
export const OsInfo = Type.Object({ id: Type.Optional(Type.String({ maxLength: 256 })) });
export const ExecStarted = Type.Object({ pid: Type.Integer() });
export const ExecStatus = Type.Object({
  "exited": Type.Boolean(),
  "exitcode": Type.Optional(Type.Integer()),
  "signal": Type.Optional(Type.Integer()),
  "out-data": Type.Optional(Text),
  "err-data": Type.Optional(Text),
  "out-truncated": Type.Optional(Type.Boolean()),
  "err-truncated": Type.Optional(Type.Boolean()),
});
export type ExecStatus = Static<typeof ExecStatus>;
export const GuestFileHandle = Handle;
export const FileRead = Type.Object({ "count": Handle, "buf-b64": Text, "eof": Type.Boolean() });
export const FileWritten = Type.Object({ count: Handle, eof: Type.Boolean() });
export const FileSought = Type.Object({ position: Handle, eof: Type.Boolean() });
/** Of commands that answer nothing. */
export const Nothing = Type.Unknown();

/** An answer, once it is what it should be. @throws {ContractError} GuestRefused */
export function checked<S extends TSchema>(schema: S, answer: unknown, command: string): Static<S> {
  if (fits(schema, answer)) return answer;
  throw new ContractError("GuestRefused", { error: message`its answer to ${command} makes no sense` });
}

/** The bytes of a text that should be base64. @throws {ContractError} GuestRefused */
export function decodedBase64(base64: string, command: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ContractError("GuestRefused", { error: message`its answer to ${command} is no base64` }, {
      cause: error,
    });
  }
}
