/**
 * For whom a linked KVM Manager calls: the name and the rights of its user. They hold within what it may do itself, so what
 * it makes up gives it nothing.
 */
import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import Type from "typebox";
import { fits } from "typebox/compile";
import type { Allowance, Rights } from "../../../lib/access/rights.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import { closed } from "../../../lib/contract/schema.ts";
import { MOST_TOLD_LIMITS, ToldLimit } from "../../../lib/profiles/told_limits.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { message } from "../../../lib/i18n/message.ts";

/** The header that tells it, as base64url of JSON; what is longer than a header may be, after `z.` and deflated. */
export const CALLER_HEADER = "x-kvm-manager-caller";

/** Characters of a name. */
const LONGEST_NAME = 128;
/** Characters of the header. */
const LONGEST = 12 * 1024;
/** Characters of the name of a program that speaks MCP. */
const LONGEST_CLIENT = 200;
/** Bytes that it may be once it is inflated. */
const MOST_BYTES = 512 * 1024;
/** Prefix of a deflated caller: no base64url has a dot. */
const DEFLATED = "z.";

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
  rights: Type.Array(Type.Union([Type.Literal("all"), Type.Array(RemoteAllowance, { maxItems: 2000 })]), {
    minItems: 1,
    maxItems: 4,
  }),
  mcp: Type.Optional(Type.Union([
    closed({ client: Type.String({ maxLength: LONGEST_CLIENT }) }),
    Type.Literal("left"),
  ])),
  limits: Type.Optional(Type.Array(ToldLimit, { maxItems: MOST_TOLD_LIMITS })),
});

/** The caller, as it is sent to the other side. */
export interface RemoteCaller {
  readonly name: string;
  readonly rights: Rights;
  /** The program that calls by MCP, as it calls itself; `left`: MCP left the call to be made later. */
  readonly mcp?: { readonly client: string } | "left";
  /** Limits of the tools in whose name the call is made. */
  readonly limits?: readonly ToldLimit[];
}

/**
 * The header's value. What sets limits is there only where it sets some: a KVM Manager that does not know limits refuses them.
 *
 * @param rights as they are on the host that is asked
 * @throws {ContractError} LinkRefused where it is too long
 */
export function callerHeader({ name, rights, mcp, limits = [] }: RemoteCaller): string {
  const layers = rights.map((layer) =>
    layer === "all" ? layer : layer.map(({ permissions, on }) => ({ permissions: [...permissions], on }))
  );
  const said = Buffer.from(JSON.stringify({
    name,
    rights: layers,
    ...(mcp !== undefined && { mcp: mcp === "left" ? mcp : { client: mcp.client.slice(0, LONGEST_CLIENT) } }),
    ...(limits.length > 0 && { limits }),
  }));
  const plain = said.toString("base64url");
  if (plain.length <= LONGEST) return plain;
  const deflated = DEFLATED + deflateRawSync(said).toString("base64url");
  if (deflated.length <= LONGEST && said.length <= MOST_BYTES) return deflated;
  throw new ContractError("LinkRefused", {
    reason: "what the caller may do names too many VMs to be told: give rights on groups or on the host",
  });
}

/** The JSON of a header. @throws {Error} for what is none */
function jsonIn(text: string): string {
  if (!text.startsWith(DEFLATED)) return Buffer.from(text, "base64url").toString();
  const deflated = Buffer.from(text.slice(DEFLATED.length), "base64url");
  return inflateRawSync(deflated, { maxOutputLength: MOST_BYTES }).toString();
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
    said = parseJson(jsonIn(text));
  } catch (error) {
    throw invalid(error);
  }
  if (!fits(RemoteCaller, said)) throw invalid();
  const { name, rights, mcp, limits } = said;
  return {
    // It is in the audit log and the journal
    name: oneLine(name, LONGEST_NAME),
    rights: rights.map((layer) =>
      layer === "all"
        ? layer
        : layer.map(({ permissions, on }): Allowance => ({ permissions: new Set(permissions), on }))
    ),
    ...(mcp !== undefined && {
      mcp: mcp === "left" ? mcp : { client: oneLine(mcp.client, LONGEST_CLIENT) },
    }),
    ...(limits !== undefined && { limits }),
  };
}
