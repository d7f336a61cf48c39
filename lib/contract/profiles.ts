/**
 * Profiles: named sets of tools with permissions, for automation on projects. Names, fields and shapes are the seed's, word
 * for word; moments are ISO 8601 there.
 */
import Type, { type Static, type TSchema } from "typebox";
import { command } from "./command.ts";
import { closed, NO_OUTER_BLANK, NOTHING_IN, oneOf } from "./schema.ts";

/** Most profiles there are, tools of one, and entries of a list of permissions. */
export const MOST_PROFILES = 500;
export const MOST_TOOL_REFS = 200;
const MOST_ALLOWED = 500;

/** Types of tools. */
export const TOOL_TYPES = ["mcp", "skill", "agent", "hook"] as const;
export type ToolType = typeof TOOL_TYPES[number];
export const ToolType = oneOf(TOOL_TYPES, { description: "kind of the tool" });

/** The `mcp` tool that stands for the commands of KVM Manager itself. */
export const OWN_SERVER = "kvm-manager";

/** Control characters, line ends, and marks that turn the direction of text or are invisible. */
const UNSEEN =
  "\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff";
/** Names are parts of addresses: no slash, and no name of a folder. */
export const TOOL_NAME_PATTERN = `${NO_OUTER_BLANK}(?!\\.{1,2}$)[^${UNSEEN}/\\\\]+$`;
/** Characters of the longest name. */
export const LONGEST_NAME = 64;

export const ToolName = Type.String({
  minLength: 1,
  maxLength: LONGEST_NAME,
  pattern: TOOL_NAME_PATTERN,
  description: "name of the tool, without slashes and characters that are not seen",
});

const Id = (description: string) =>
  Type.String({ minLength: 1, maxLength: 64, pattern: `^[^${UNSEEN}/\\\\]+$`, description });
const ProfileId = Id("id of the profile");
export const ProjectOfTools = Id("id of the project");

/** A name as it is typed: the handler judges it, since the seed has an error of its own for it. */
const ProfileName = Type.String({ maxLength: 1000, description: "1 to 64 characters, on one line" });
const Description = Type.String({
  maxLength: 1000,
  pattern: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$",
});
const OrNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Allowed = (description: string, maxLength = 256) =>
  Type.Array(
    Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f]+$" }),
    { maxItems: MOST_ALLOWED, description },
  );

export const ToolPermissions = closed({
  allowed_directories: Allowed("directories of the host that calls may name; no limit if empty", 4096),
  allowed_tools: Allowed(
    "commands, tools of a server or events it may use; `get_*` for several; all if empty",
  ),
  disallowed_tools: Allowed("those that it may not use, also where allowed_tools has them"),
});
export type ToolPermissions = Static<typeof ToolPermissions>;

export const ToolRef = closed({
  name: ToolName,
  tool_type: ToolType,
  source_scope: OrNull(oneOf(["user", "project", "managed"])),
  permissions: OrNull(ToolPermissions),
});
export type ToolRef = Static<typeof ToolRef>;

const Moment = Type.String({ description: "ISO 8601" });

export const ProfileSummary = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: OrNull(Type.String()),
  tool_count: Type.Integer(),
  project_count: Type.Integer({ description: "projects that use it" }),
  created_at: Moment,
  updated_at: Moment,
});
export type ProfileSummary = Static<typeof ProfileSummary>;

export const ProfileDetails = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: OrNull(Type.String()),
  tool_refs: Type.Array(ToolRef),
  assigned_projects: Type.Array(Type.Object({
    id: Type.String(),
    name: Type.String(),
    path: Type.String({ description: "of its page" }),
  })),
  created_at: Moment,
  updated_at: Moment,
});
export type ProfileDetails = Static<typeof ProfileDetails>;

/** Types that the value of a skill's parameter can be read as. */
export const PARAMETER_TYPES = ["string", "integer", "number", "boolean", "array"] as const;
export type ParameterType = typeof PARAMETER_TYPES[number];

export const SkillParameter = Type.Object({
  name: Type.String(),
  type: oneOf(PARAMETER_TYPES, {
    description: "what its value is read as; the values of an array have commas between",
  }),
  required: Type.Boolean(),
  field: OrNull(Type.String({ description: "the field of a command that it stands for alone: `vmId`" })),
  is_secret: Type.Boolean({ description: "whether that field is a secret, as a password" }),
});
export type SkillParameter = Static<typeof SkillParameter>;

export const ToolRefWithSource = Type.Object({
  name: Type.String(),
  tool_type: ToolType,
  source: oneOf(["profile", "local"]),
  permissions: OrNull(ToolPermissions),
  parameters: Type.Optional(
    Type.Array(SkillParameter, { description: "of a skill that is defined: what run_skill takes" }),
  ),
});
export type ToolRefWithSource = Static<typeof ToolRefWithSource>;

export const ProjectTools = Type.Object({
  project_id: Type.String(),
  profile: OrNull(Type.Object({ id: Type.String(), name: Type.String() })),
  profile_tools: Type.Array(ToolRefWithSource),
  local_tools: Type.Array(ToolRefWithSource),
});
export type ProjectTools = Static<typeof ProjectTools>;

const Path = (description: string) =>
  Type.String({ minLength: 1, maxLength: 4096, pattern: "^[^\\u0000-\\u001f\\u007f]+$", description });
const InputPath = Path("absolute path on the host, ending in .kvmm-profile.json or .tars-profile.json");

const VIEW = { role: "viewer", withoutLibvirt: true, spansHosts: true } as const;
const MANAGE = { role: "administrator", withoutLibvirt: true, spansHosts: true } as const;

/** A profile's `id` is looked up as `profile_id`: the field `id` alone is a port forward's. */
const NAMED_AS = { id: "profile_id" } as const;

export const profileCommands = {
  create_profile: command({
    ...MANAGE,
    summary: "Create an empty profile",
    input: closed({ name: ProfileName, description: Type.Optional(Description) }),
    output: ProfileSummary,
    errors: ["ProfileNameExists", "InvalidName", "DatabaseError", "TooManyProfiles"],
    route: "POST /profiles",
    cli: ["profile", "create", "<name>"],
    examples: ["kvm-manager profile create nightly --description 'Starts and stops the lab'"],
    exampleFields: ["description"],
    readOnly: false,
  }),
  get_profile: command({
    ...VIEW,
    summary: "Show a profile: its tools with their permissions, and its projects",
    input: closed({ id: ProfileId }),
    namedAs: NAMED_AS,
    output: ProfileDetails,
    errors: ["ProfileNotFound", "DatabaseError"],
    route: "GET /profiles/{id}",
    cli: ["profile", "show", "<id>"],
    readOnly: true,
  }),
  list_profiles: command({
    ...VIEW,
    summary: "List profiles",
    input: NOTHING_IN,
    output: Type.Array(ProfileSummary),
    errors: ["DatabaseError"],
    route: "GET /profiles",
    cli: ["profile", "list"],
    lookup: { fields: ["profile_id"], by: "name", more: "description", missing: "ProfileNotFound" },
    columns: ["name", "tool_count", "project_count", "updated_at"],
    wide: ["id", "created_at", "description"],
    readOnly: true,
  }),
  update_profile: command({
    ...MANAGE,
    summary: "Change the name, the description or the tools of a profile",
    description:
      "What is left out stays. Tools that are given replace those that were there, at all its projects at once.",
    input: closed({
      id: ProfileId,
      name: Type.Optional(ProfileName),
      description: Type.Optional(OrNull(Description)),
      tool_refs: Type.Optional(Type.Array(ToolRef, { maxItems: MOST_TOOL_REFS })),
    }),
    namedAs: NAMED_AS,
    output: Type.Object({
      profile: ProfileSummary,
      sync_result: Type.Object({
        affected_projects: Type.Integer({ description: "projects that use it, and have the change now" }),
        synced_at: Moment,
      }),
    }),
    errors: ["ProfileNotFound", "ProfileNameExists", "InvalidName", "DatabaseError"],
    route: "PATCH /profiles/{id}",
    cli: ["profile", "update", "<id>"],
    exampleFields: ["description"],
    readOnly: false,
  }),
  delete_profile: command({
    ...MANAGE,
    summary: "Delete a profile; its projects keep its tools as local ones",
    description:
      "What the tools may do stays as it is: a local tool of the same name goes before that of the profile.",
    input: closed({ id: ProfileId }),
    namedAs: NAMED_AS,
    output: Type.Object({
      deleted: Type.Boolean(),
      converted_projects: Type.Integer({ description: "projects that have tools of it as local ones now" }),
    }),
    errors: ["ProfileNotFound", "DatabaseError"],
    route: "DELETE /profiles/{id}",
    cli: ["profile", "delete", "<id>"],
    destroys: "the profile; its projects keep its tools as local ones",
    readOnly: false,
  }),
  assign_profile: command({
    ...MANAGE,
    summary: "Assign a profile to a project",
    input: closed({ project_id: ProjectOfTools, profile_id: ProfileId }),
    output: Type.Object({ project_id: Type.String(), profile_id: Type.String(), assigned_at: Moment }),
    errors: ["ProjectNotFound", "ProfileNotFound", "ProjectAlreadyAssigned", "DatabaseError"],
    route: "PUT /projects/{project_id}/profile",
    cli: ["profile", "assign", "<project_id>", "<profile_id>"],
    examples: ["kvm-manager profile assign lab nightly"],
    readOnly: false,
  }),
  unassign_profile: command({
    ...MANAGE,
    summary: "Take the profile of a project away",
    input: closed({ project_id: ProjectOfTools }),
    output: Type.Object({ project_id: Type.String(), unassigned_at: Moment }),
    errors: ["ProjectNotFound", "NoProfileAssigned", "DatabaseError"],
    route: "DELETE /projects/{project_id}/profile",
    cli: ["profile", "unassign", "<project_id>"],
    readOnly: false,
  }),
  add_local_tool: command({
    ...MANAGE,
    summary: "Add a tool to a project alone",
    description: "It goes before a tool of the same kind and name that the project's profile has.",
    input: closed({ project_id: ProjectOfTools, tool_ref: ToolRef }),
    output: Type.Object({ project_id: Type.String(), tool_name: Type.String(), added_at: Moment }),
    errors: ["ProjectNotFound", "ToolAlreadyExists", "DatabaseError"],
    route: "POST /projects/{project_id}/tools",
    cli: ["project", "tool", "add", "<project_id>"],
    examples: [
      `kvm-manager project tool add PROJECT-ID --tool_ref '{"name":"ci","tool_type":"agent","source_scope":null,"permissions":null}'`,
    ],
    readOnly: false,
  }),
  remove_local_tool: command({
    ...MANAGE,
    summary: "Remove a tool of a project alone",
    input: closed({ project_id: ProjectOfTools, tool_type: ToolType, tool_name: ToolName }),
    output: Type.Object({ project_id: Type.String(), removed: Type.Boolean() }),
    errors: ["ProjectNotFound", "ToolNotFound", "DatabaseError"],
    route: "DELETE /projects/{project_id}/tools/{tool_type}/{tool_name}",
    cli: ["project", "tool", "remove", "<project_id>", "<tool_type>", "<tool_name>"],
    readOnly: false,
  }),
  get_project_tools: command({
    ...VIEW,
    permission: "projects.view",
    summary: "Show the tools of a project: those of its profile, and its own",
    input: closed({ project_id: ProjectOfTools }),
    output: ProjectTools,
    errors: ["ProjectNotFound", "DatabaseError"],
    route: "GET /projects/{project_id}/tools",
    cli: ["project", "tool", "list", "<project_id>"],
    readOnly: true,
  }),
  export_profile: command({
    ...MANAGE,
    summary: "Write a profile to a file of the host",
    description:
      "The file ends in .kvmm-profile.json. It has the names of tools and their permissions, and no definition or secret.",
    input: closed({
      profile_id: ProfileId,
      output_path: Path("absolute path on the host, ending in .kvmm-profile.json"),
    }),
    output: Type.Object({ path: Type.String(), size_bytes: Type.Integer(), exported_at: Moment }),
    errors: ["ProfileNotFound", "IoError", "DatabaseError"],
    route: "POST /profiles/{profile_id}/export",
    cli: ["profile", "export", "<profile_id>", "<output_path>"],
    examples: ["kvm-manager profile export nightly /root/nightly.kvmm-profile.json"],
    readOnly: false,
  }),
  import_profile: command({
    ...MANAGE,
    summary: "Create a profile from a file of the host",
    input: closed({
      input_path: InputPath,
      rename_to: Type.Optional({ ...ProfileName, description: "another name, where its own is taken" }),
    }),
    output: Type.Object({
      profile: ProfileSummary,
      imported_from: Type.String(),
      collision_resolved: Type.Boolean({ description: "its name was taken, and it has the other one" }),
    }),
    errors: [
      ...["IoError", "InvalidFormat", "VersionUnsupported", "NameCollision"] as const,
      ...["InvalidName", "TooManyProfiles", "DatabaseError"] as const,
    ],
    route: "POST /profiles/import",
    makesAt: "/profiles/{id}",
    cli: ["profile", "import", "<input_path>"],
    examples: ["kvm-manager profile import /root/nightly.kvmm-profile.json --rename_to nightly-2"],
    exampleFields: ["rename_to"],
    readOnly: false,
  }),
  preview_import: command({
    ...MANAGE,
    summary: "Show what the import of a profile would make",
    input: closed({ input_path: InputPath }),
    output: Type.Object({
      name: Type.String(),
      description: OrNull(Type.String()),
      tool_count: Type.Integer(),
      has_name_collision: Type.Boolean(),
      existing_profile_id: OrNull(Type.String()),
      version: Type.Integer(),
    }),
    errors: ["IoError", "InvalidFormat", "DatabaseError"],
    route: "POST /profiles/preview-import",
    cli: ["profile", "preview", "<input_path>"],
    readOnly: true,
  }),
};
