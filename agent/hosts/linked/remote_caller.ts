/**
 * For whom a linked KVM Manager calls: the name and the rights of its user. They hold within what it may do itself, so what
 * it makes up gives it nothing.
 */
import { Buffer } from "node:buffer";
import Type from "typebox";
import { fits } from "typebox/compile";
import type { Allowance, Rights } from "../../../lib/access/rights.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import { closed } from "../../../lib/contract/schema.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { message } from "../../../lib/i18n/message.ts";

/** The header that tells it, as base64url of JSON. */
export const CALLER_HEADER = "x-kvm-manager-caller";

/** Characters of a name. */
const LONGEST_NAME = 128;
/** Characters of the header. */
const LONGEST = 12 * 1024;

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const RemoteAllowance = closed({
  permissions: Type.Array(Text(64), { maxItems: 200 }),
  on: Type.Union([
    closed({ kind: Type.Literal("everything") }),
    closed({ kind: Type.Literal("group"), group: Text(256) }),
    closed({ kind: Type.Literal("vm"), vmId: Text(128) }),
  ]),
});
const RemoteCaller = closed({
  name: Text(LONGEST_NAME),
  rights: Type.Array(Type.Union([Type.Literal("all"), Type.Array(RemoteAllowance, { maxItems: 100 })]), {
    minItems: 1,
    maxItems: 4,
  }),
});

/** Who calls, as it is told to the other side. */
export interface RemoteCaller {
  readonly name: string;
  readonly rights: Rights;
}

/** The header's value. @param rights as they are on the host that is asked */
export function callerHeader({ name, rights }: RemoteCaller): string {
  const layers = rights.map((layer) =>
    layer === "all" ? layer : layer.map(({ permissions, on }) => ({ permissions: [...permissions], on }))
  );
  return Buffer.from(JSON.stringify({ name, rights: layers })).toString("base64url");
}

/** Reads it. @param text null: the other one calls for itself @throws {ContractError} InvalidInput */
export function readCaller(text: string | null): RemoteCaller | undefined {
  if (text === null) return undefined;
  const invalid = (cause?: unknown) =>
    new ContractError("InvalidInput", { reason: message`${CALLER_HEADER} is not what a KVM Manager sends` }, {
      cause,
    });
  if (text.length > LONGEST) throw invalid();
  let said: unknown;
  try {
    said = parseJson(Buffer.from(text, "base64url").toString());
  } catch (error) {
    throw invalid(error);
  }
  if (!fits(RemoteCaller, said)) throw invalid();
  const { name, rights } = said;
  return {
    // It is in the audit log and the journal
    name: oneLine(name, LONGEST_NAME),
    rights: rights.map((layer) =>
      layer === "all"
        ? layer
        : layer.map(({ permissions, on }): Allowance => ({ permissions: new Set(permissions), on }))
    ),
  };
}
