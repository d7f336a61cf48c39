/** Permissions in words. Pure. */
import { permissions } from "../i18n/en/permissions.ts";
import { textsOf } from "../i18n/mod.ts";

const { t } = textsOf(permissions);

/** Description of a permission; its name when there is no text for it. */
export function permissionText(permission: string): string {
  const key = `permission.${permission}`;
  return Object.hasOwn(permissions, key) ? t(key as keyof typeof permissions) : permission;
}
