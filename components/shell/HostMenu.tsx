import type { HostStatus } from "../../lib/contract/mod.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import { oneLine } from "../../lib/text/text.ts";
import { enabledHosts, HOST_STATES } from "../../lib/host/states.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(texts);

/** Leads from one host to another. A popover that needs no script; nothing where there is one host. */
export function HostMenu({ hosts: all, current }: { hosts: readonly HostStatus[]; current: string }) {
  const hosts = enabledHosts(all);
  const here = hosts.find(({ id }) => id === current);
  if (hosts.length < 2 || here === undefined) return null;
  const label = t("hosts.switch", { name: oneLine(here.label, 40) });
  return (
    <div class="user-menu">
      <button type="button" class="icon-button" popovertarget="host-menu" aria-label={label} title={label}>
        <Icon name="sort" />
      </button>
      <nav id="host-menu" class="menu user-popover" popover="auto" aria-label={label}>
        {hosts.map(({ id, label, status }) => (
          <a
            key={id}
            class="menu-item"
            href={hrefOn(id, "/")}
            aria-current={id === current ? "true" : undefined}
          >
            <Icon name={id === current ? "check" : status === "connected" ? "vms" : "unplug"} />
            <bdi>{oneLine(label, 40)}</bdi>
            {status !== "connected" && <small>{t(HOST_STATES[status])}</small>}
          </a>
        ))}
      </nav>
    </div>
  );
}
