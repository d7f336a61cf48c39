import { permissionGroups } from "../../lib/access/permission_groups.ts";
import { permissionText } from "../../lib/access/permission_text.ts";
import { PERMISSIONS } from "../../lib/access/permissions.ts";
import { OWN_SERVER } from "../../lib/contract/profiles.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { profiles } from "../../lib/i18n/en/profiles.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { allowsCommand } from "../../lib/profiles/allowed.ts";
import { toolText } from "../../lib/profiles/tools.ts";
import { oneLine } from "../../lib/text/text.ts";
import { Icon } from "../kit/Icon.tsx";
import type { ToolRow } from "./Tools.tsx";

const { t } = textsOf(profiles), titles = textsOf(access);

/** Whether the permissions of a tool are about commands of KVM Manager. */
const isOfCommands = ({ tool_type, name }: ToolRow) =>
  tool_type === "agent" || tool_type === "skill" || (tool_type === "mcp" && name === OWN_SERVER);

function Cell({ tool, commands }: { tool: ToolRow; commands: readonly string[] }) {
  const count = commands.filter((command) => allowsCommand(tool.permissions, command)).length;
  if (count === 0) return <span class="none">–</span>;
  if (count < commands.length) return <>{t("profiles.some", { count, all: commands.length })}</>;
  return (
    <>
      <Icon name="check" />
      <span class="visually-hidden">{t("profiles.may")}</span>
    </>
  );
}

/** Commands of each tool, in the rows of the matrix of roles; nothing if no tool is about commands. */
export function ToolMatrix({ tools }: { tools: readonly ToolRow[] }) {
  const columns = tools.filter(isOfCommands);
  if (columns.length === 0) return null;
  const permissions = [...PERMISSIONS.values()].filter(({ grantable }) => grantable)
    .map(({ name, commands }) => ({ permission: name, commands }));
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("profiles.matrix")}>
      <table class="table role-matrix">
        <thead>
          <tr>
            <th scope="col">{t("profiles.permission")}</th>
            {columns.map((tool) => (
              <th key={toolText(tool)} scope="col">
                <bdi>{oneLine(toolText(tool), 40)}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        {permissionGroups(permissions).map((group) => (
          <tbody key={group.title}>
            <tr>
              <th scope="rowgroup" class="role-group">{titles.t(group.title)}</th>
              <td class="role-group" colSpan={columns.length} />
            </tr>
            {group.permissions.map(({ permission, commands }) => (
              <tr key={permission} data-permission={permission}>
                <th scope="row" title={commands.join(", ")}>{permissionText(permission)}</th>
                {columns.map((tool) => (
                  <td key={toolText(tool)}>
                    <Cell tool={tool} commands={commands} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
