import type { HostStatus } from "../../lib/contract/mod.ts";
import { enabledHosts, HOST_STATES } from "../../lib/host/states.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { hrefOn } from "../../lib/text/host_path.ts";
import { oneLine } from "../../lib/text/text.ts";
import { Icon } from "../kit/Icon.tsx";

const { t, plural } = textsOf(texts);

/** Each host with its state and how many VMs it has; nothing where there is one host. */
export function SidebarHosts({ hosts, current }: { hosts: readonly HostStatus[]; current: string }) {
  const shown = enabledHosts(hosts);
  if (shown.length < 2) return null;
  return (
    <section class="side-hosts" aria-labelledby="side-hosts">
      <h2 id="side-hosts" class="side-heading side-text">{t("hosts.title")}</h2>
      <ul class="side-list">
        {shown.map(({ id, label, status, error, vmCount }) => {
          const name = oneLine(label, 40), isWell = status === "connected";
          return (
            <li key={id}>
              <a
                class="side-link"
                href={hrefOn(id, "/")}
                title={isWell ? name : `${name}: ${oneLine(error ?? t(HOST_STATES[status]), 200)}`}
                aria-current={id === current ? "true" : undefined}
              >
                <Icon name={isWell ? "vms" : "unplug"} />
                <bdi class="side-text">{name}</bdi>
                {isWell
                  ? vmCount !== undefined && (
                    <span class="nav-count" aria-label={plural("hosts.vms_n", vmCount)}>{vmCount}</span>
                  )
                  : <span class="nav-count">{t(HOST_STATES[status])}</span>}
              </a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
