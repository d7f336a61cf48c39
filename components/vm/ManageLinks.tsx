import type { VM } from "../../lib/contract/mod.ts";
import { manageLinks } from "../../lib/vm/manage.ts";
import { t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

/** Entries of a VM's menu that lead to pages of their own. */
export function ManageLinks({ vm }: { vm: VM }) {
  return (
    <>
      {manageLinks(vm).map(({ path, label, icon, download }) => (
        <a
          key={path}
          role="menuitem"
          class="menu-item"
          href={`/vms/${encodeURIComponent(vm.id)}/${path}`}
          download={download}
        >
          <Icon name={icon} />
          {t(label)}
        </a>
      ))}
    </>
  );
}
