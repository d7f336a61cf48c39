/**
 * Profiles as files: `.kvmm-profile.json` is written, that and the seed's `.tars-profile.json` are read. They have the names of
 * tools with their permissions, and no definition, address or secret. Pure.
 */
import { Compile, type Validator } from "typebox/compile";
import Type, { type Static, type TSchema } from "typebox";
import { ContractError } from "../contract/errors.ts";
import {
  MOST_TOOL_REFS,
  ToolName,
  type ToolPermissions,
  type ToolRef,
  ToolType,
} from "../contract/profiles.ts";
import { oneOf } from "../contract/schema.ts";

/** How the files are called. */
export const WRITTEN_ENDING = ".kvmm-profile.json";
export const READ_ENDINGS = [WRITTEN_ENDING, ".tars-profile.json"] as const;
/** Version that is written, and the highest that is read. */
export const FILE_VERSION = 1;
/** Bytes of the largest file. */
export const MOST_PROFILE_BYTES = 1_048_576;

const List = (maxLength: number) =>
  Type.Optional(Type.Array(
    Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f]+$" }),
    { maxItems: 500 },
  ));
const OrNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Fields of a file that are read. Others are ignored: a file of another program may have more. */
const FileSchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 1000 }),
  description: Type.Optional(OrNull(Type.String({
    maxLength: 1000,
    pattern: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$",
  }))),
  tool_refs: Type.Array(
    Type.Object({
      name: ToolName,
      tool_type: ToolType,
      source_scope: Type.Optional(OrNull(oneOf(["user", "project", "managed"]))),
      permissions: Type.Optional(OrNull(Type.Object({
        allowed_directories: List(4096),
        allowed_tools: List(256),
        disallowed_tools: List(256),
      }))),
    }),
    { maxItems: MOST_TOOL_REFS },
  ),
});

/** A file as it was read. */
export interface ProfileFile {
  readonly version: number;
  readonly name: string;
  readonly description: string | null;
  readonly tool_refs: readonly ToolRef[];
}

/** Fields that a file of any version has. */
export interface ProfileHead {
  readonly version: number;
  readonly name: string;
  readonly description: string | null;
  readonly tool_count: number;
}

let validator: Validator | undefined;
const invalid = (reason: string) => new ContractError("InvalidFormat", { reason });

function recordIn(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    // What the parser says may quote the file, which the caller need not be able to read
    throw invalid("it is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("it must be a JSON object");
  }
  return value as Record<string, unknown>;
}

function versionIn({ version }: Record<string, unknown>): number {
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1 || version > 1_000_000) {
    throw invalid("version must be a whole number from 1 on");
  }
  return version;
}

/** Reads the fields that a file of any version has. @throws {ContractError} InvalidFormat */
export function readProfileHead(text: string): ProfileHead {
  const record = recordIn(text), version = versionIn(record);
  if (version <= FILE_VERSION) {
    const { tool_refs: tools, ...file } = readProfile(text);
    return { version, name: file.name, description: file.description, tool_count: tools.length };
  }
  const { name, description = null, tool_refs: tools } = record;
  if (typeof name !== "string" || name === "" || name.length > 1000) throw invalid("name is missing");
  return {
    version,
    name,
    description: typeof description === "string" ? description.slice(0, 1000) : null,
    tool_count: Array.isArray(tools) ? tools.length : 0,
  };
}

const permissionsIn = (given: Partial<ToolPermissions> | null | undefined): ToolPermissions | null =>
  given === null || given === undefined ? null : {
    allowed_directories: [...given.allowed_directories ?? []],
    allowed_tools: [...given.allowed_tools ?? []],
    disallowed_tools: [...given.disallowed_tools ?? []],
  };

/** @throws {ContractError} InvalidFormat, VersionUnsupported */
export function readProfile(text: string): ProfileFile {
  const record = recordIn(text), version = versionIn(record);
  if (version > FILE_VERSION) {
    throw new ContractError("VersionUnsupported", { version, supported: FILE_VERSION });
  }
  validator ??= Compile(FileSchema);
  if (!validator.Check(record)) {
    const [first] = validator.Errors(record);
    const field = (first?.instancePath ?? "").split("/").slice(1, 4).join(".").slice(0, 64);
    throw invalid(field === "" ? "name or tool_refs is missing" : `${field} is not as a profile has it`);
  }
  const { name, description = null, tool_refs } = record as Static<typeof FileSchema>;
  return {
    version,
    name,
    description,
    tool_refs: tool_refs.map(({ name, tool_type, source_scope = null, permissions }) => ({
      name,
      tool_type,
      source_scope,
      permissions: permissionsIn(permissions),
    })),
  };
}

/** The text of a file. @param exportedAt milliseconds since 1970 */
export function writtenProfile(
  { name, description, tool_refs }: Omit<ProfileFile, "version">,
  exportedAt: number,
): string {
  const exported_at = new Date(exportedAt).toISOString();
  return `${JSON.stringify({ version: FILE_VERSION, name, description, tool_refs, exported_at }, null, 2)}\n`;
}

/** A name for the file of a profile: letters, digits and dashes of it, whatever else is in it. */
export const profileFileName = (name: string): string =>
  `${name.replaceAll(/[^\p{L}\p{N}_-]+/gu, "-").replace(/^-+|-+$/g, "") || "profile"}${WRITTEN_ENDING}`;
