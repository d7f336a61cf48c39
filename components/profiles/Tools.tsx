import type { ComponentChildren } from "preact";
import { OWN_SERVER, TOOL_TYPES, type ToolPermissions, type ToolType } from "../../lib/contract/profiles.ts";
import { profiles } from "../../lib/i18n/en/profiles.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { isTool, type ToolKey } from "../../lib/profiles/tools.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { SelectField, TextField } from "../kit/Field.tsx";

const { t } = textsOf(profiles);

/** The page that lists commands with their fields. */
export const COMMANDS_PAGE = "/api/v1/reference";

/** A tool in a table. */
export interface ToolRow {
  readonly name: string;
  readonly tool_type: ToolType;
  readonly permissions: ToolPermissions | null;
  readonly source?: "profile" | "local";
  /** Of a skill that is defined. */
  readonly parameters?: readonly { readonly name: string }[];
}

export const toolKey = ({ tool_type, name, source = "profile" }: ToolRow) => `${source} ${tool_type} ${name}`;

const listText = (list: readonly string[] | undefined, none: string) =>
  list === undefined || list.length === 0
    ? <span class="text-muted">{none}</span>
    : <bdi>{oneLine(list.join(", "), 300)}</bdi>;

/** Whether what a tool is called stands for something. */
const isDefined = (tool: ToolKey, defined: readonly ToolKey[]) =>
  (tool.tool_type === "mcp" && tool.name === OWN_SERVER) || defined.some((each) => isTool(each, tool));

/** Its name, the parameters that it has, and whether it stands for nothing yet. */
const nameOf = (row: ToolRow, defined: readonly ToolKey[] | undefined) => (
  <>
    <bdi>{oneLine(row.name, 64)}</bdi>
    {row.parameters !== undefined && row.parameters.length > 0 && (
      <div class="text-muted">
        {t("profiles.takes", { parameters: row.parameters.map(({ name }) => name).join(", ") })}
      </div>
    )}
    {defined !== undefined && !isDefined(row, defined) && (
      <div>
        <a href={row.tool_type === "skill" ? "/profiles/skill" : "/profiles/tools"}>
          {t("profiles.undefined")}
        </a>
      </div>
    )}
  </>
);

/**
 * Tools with their permissions.
 *
 * @param defined tools that there are: what is none of them is marked; missing for who may not define any
 * @param actions of a row
 */
export function ToolTable({ label, rows, defined, actions }: {
  label: string;
  rows: readonly ToolRow[];
  defined?: readonly ToolKey[];
  actions?: (row: ToolRow) => ComponentChildren;
}) {
  const hasSources = rows.some(({ source }) => source !== undefined);
  return (
    <DataTable
      label={label}
      rows={rows}
      keyOf={toolKey}
      attributesOf={({ name }) => ({ "data-tool": name })}
      empty={<p class="pad text-muted">{t("profiles.no_tools")}</p>}
      columns={[
        { title: t("profiles.kind"), cell: ({ tool_type }) => t(`profiles.kind.${tool_type}`) },
        { title: t("profiles.name"), fit: "wrap", cell: (row) => nameOf(row, defined) },
        ...(hasSources
          ? [{
            title: t("profiles.source"),
            cell: ({ source = "profile" }: ToolRow) => t(`profiles.source.${source}`),
          }]
          : []),
        {
          title: t("profiles.allowed"),
          fit: "wrap",
          cell: ({ permissions }) => listText(permissions?.allowed_tools, t("profiles.all")),
        },
        {
          title: t("profiles.disallowed"),
          fit: "wrap",
          cell: ({ permissions }) => listText(permissions?.disallowed_tools, "–"),
        },
        {
          title: t("profiles.directories"),
          fit: "wrap",
          cell: ({ permissions }) => listText(permissions?.allowed_directories, t("profiles.all")),
        },
        ...(actions === undefined
          ? []
          : [{ title: t("profiles.actions"), kind: "actions" as const, cell: actions }]),
      ]}
    />
  );
}

/** Fields of the form that adds a tool. */
export const TOOL_FIELDS = ["tool_type", "name", "allowed", "disallowed", "directories"] as const;
export type TypedTool = Readonly<Record<typeof TOOL_FIELDS[number], string>>;

const words = (text: string) => text.split(/[,\n]/).map((word) => word.trim()).filter((word) => word !== "");

/** The tool that was typed; the command judges it. */
export function toolIn(typed: TypedTool) {
  const permissions = {
    allowed_directories: words(typed.directories),
    allowed_tools: words(typed.allowed),
    disallowed_tools: words(typed.disallowed),
  };
  const isLimited = Object.values(permissions).some((list) => list.length > 0);
  return {
    name: typed.name,
    tool_type: typed.tool_type as ToolType,
    source_scope: null,
    permissions: isLimited ? permissions : null,
  };
}

/** The fields of a tool. @param defined tools that there are: their names are offered */
export function ToolFields({ typed, defined = [] }: {
  typed: TypedTool | undefined;
  defined?: readonly ToolKey[];
}) {
  const names = [...new Set([OWN_SERVER, ...defined.map(({ name }) => name)])];
  return (
    <div class="form-grid">
      <SelectField
        name="tool_type"
        label={t("profiles.kind")}
        value={typed?.tool_type ?? "agent"}
        choices={TOOL_TYPES.map((value) => ({ value, label: t(`profiles.kind.${value}`) }))}
      />
      <TextField
        name="name"
        label={t("profiles.name")}
        hint={t("profiles.name_hint")}
        required
        maxLength={64}
        list="tool-names"
        defaultValue={typed?.name ?? ""}
      />
      <datalist id="tool-names">
        {names.map((name) => (
          <option key={name} value={name}>
            {defined.filter((each) => each.name === name).map(({ tool_type }) =>
              t(`profiles.kind.${tool_type}`)
            )
              .join(", ")}
          </option>
        ))}
      </datalist>
      <TextField
        name="allowed"
        label={t("profiles.allowed")}
        placeholder="start_vm, stop_vm"
        hint={
          <>
            {t("profiles.list_hint")}. <a href={COMMANDS_PAGE}>{t("profiles.commands")}</a>
          </>
        }
        defaultValue={typed?.allowed ?? ""}
      />
      <TextField
        name="disallowed"
        label={t("profiles.disallowed")}
        hint={t("profiles.disallowed_hint")}
        defaultValue={typed?.disallowed ?? ""}
      />
      <TextField
        name="directories"
        label={t("profiles.directories")}
        hint={t("profiles.directories_hint")}
        defaultValue={typed?.directories ?? ""}
      />
    </div>
  );
}
