import type { PermissionInfo, RoleInfo } from "../../lib/contract/mod.ts";
import { permissionGroups } from "../../lib/access/permission_groups.ts";
import { permissionText } from "../../lib/access/permission_text.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(access);

/**
 * Table of the permissions of roles: a row per permission, a column per role, by noun. On a phone the roles scroll, the
 * rows' names stay.
 */
export function RoleMatrix({ roles, permissions }: {
  roles: readonly RoleInfo[];
  permissions: readonly PermissionInfo[];
}) {
  const columns = roles.map(({ role, permissions: held }) => ({ role, held: new Set(held) }));
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={t("access.role_matrix")}>
      <table class="table role-matrix">
        <thead>
          <tr>
            <th scope="col">{t("access.role_permission")}</th>
            {columns.map(({ role }) => (
              <th key={role} scope="col">
                <bdi>{role}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        {permissionGroups(permissions).map((group) => (
          <tbody key={group.title}>
            <tr>
              <th scope="rowgroup" class="role-group">{t(group.title)}</th>
              <td class="role-group" colSpan={columns.length} />
            </tr>
            {group.permissions.map(({ permission, commands }) => (
              <tr key={permission} data-permission={permission}>
                <th scope="row" title={commands.join(", ")}>{permissionText(permission)}</th>
                {columns.map(({ role, held }) => (
                  <td key={role}>
                    {held.has(permission)
                      ? (
                        <>
                          <Icon name="check" />
                          <span class="visually-hidden">{t("access.role_may")}</span>
                        </>
                      )
                      : <span class="none">–</span>}
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
