/** Groups of the host whose members may sign in, and the role of each. Pure. */

/** Group → role. */
export type HostRoles = ReadonlyMap<string, string>;

/** The setting `pam`: `group=role,…`; null for `off`. @throws {Error} saying what is wrong */
export function hostRolesIn(setting: string): HostRoles | null {
  if (setting === "off") return null;
  return new Map(
    setting.split(",").map((part) => {
      const [, group, role] = /^\s*([A-Za-z0-9_.][A-Za-z0-9_.@-]*)=([a-z][a-z0-9-]*)\s*$/.exec(part) ?? [];
      if (group === undefined || role === undefined) {
        throw new Error(`${JSON.stringify(part)} is not GROUP=ROLE, such as kvm-admins=administrator`);
      }
      return [group, role];
    }),
  );
}
