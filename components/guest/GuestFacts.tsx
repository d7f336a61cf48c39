import type { GuestFilesystem, GuestInfo, GuestInterface, UserInfo } from "../../lib/contract/mod.ts";
import { guest as texts } from "../../lib/i18n/en/guest.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatBytes, share } from "../../lib/text/quantity.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { DataTable, stacked } from "../kit/DataTable.tsx";
import { Fact } from "../kit/Fact.tsx";
import { canFill } from "../../lib/vm/fill.ts";
import { LoadBar } from "../kit/LoadBar.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(texts);

/** Answers of a guest's agent; null for those that failed. */
export interface GuestAnswers {
  readonly info: GuestInfo | null;
  readonly interfaces: readonly GuestInterface[] | null;
  readonly filesystems: readonly GuestFilesystem[] | null;
  readonly users: readonly UserInfo[] | null;
}

/** Operating system of the guest. */
export function GuestSystem({ info }: { info: GuestInfo | null }) {
  const known = (text: string | undefined) =>
    text === undefined || text === "" ? <span class="text-muted">{t("guest.unknown")}</span> : text;
  return (
    <Panel title={t("guest.system")}>
      <dl class="description-list">
        <Fact label={t("guest.hostname")}>{known(info?.hostname)}</Fact>
        <Fact label={t("guest.os")}>{known(info?.osVersion || info?.osId)}</Fact>
        <Fact label={t("guest.kernel")}>{known(info?.kernelVersion)}</Fact>
        <Fact label={t("guest.time_zone")}>{known(info?.timeZone)}</Fact>
      </dl>
      <p class="pad text-muted">{t("guest.told")}</p>
    </Panel>
  );
}

function Usage({ totalBytes, usedBytes, type }: GuestFilesystem) {
  if (totalBytes === undefined || usedBytes === undefined) return null;
  return (
    <span class="guest-usage">
      {canFill(type) && <LoadBar percent={share(usedBytes, totalBytes)} kind="memory" />}
      <span>{t("guest.used_of", { used: formatBytes(usedBytes), total: formatBytes(totalBytes) })}</span>
    </span>
  );
}

/** Its file systems, addresses, and who is signed in; what was not told is left out. */
export function GuestTables({ told: { interfaces, filesystems, users } }: { told: GuestAnswers }) {
  return (
    <>
      {filesystems !== null && (
        <Panel title={t("guest.filesystems")}>
          <DataTable
            label={t("guest.filesystems")}
            rows={filesystems}
            keyOf={({ mountpoint, name }) => `${mountpoint} ${name}`}
            empty={t("guest.no_filesystems")}
            columns={[
              { title: t("guest.mountpoint"), fit: "wrap", cell: ({ mountpoint }) => mountpoint },
              { title: t("guest.used"), cell: (each) => <Usage {...each} /> },
              { title: t("guest.type"), cell: ({ type }) => type },
              { title: t("guest.name"), kind: "code", cell: ({ name }) => name },
            ]}
          />
        </Panel>
      )}
      {interfaces !== null && (
        <Panel title={t("guest.addresses")}>
          <DataTable
            label={t("guest.addresses")}
            rows={interfaces}
            keyOf={({ name }) => name}
            empty={t("guest.no_addresses")}
            columns={[
              { title: t("guest.interface"), cell: ({ name }) => name },
              { title: t("guest.addresses"), kind: "code", cell: ({ addresses }) => stacked(addresses) },
              { title: t("guest.mac"), kind: "code", cell: ({ mac }) => mac },
            ]}
          />
        </Panel>
      )}
      {users !== null && (
        <Panel title={t("guest.users")}>
          <DataTable
            label={t("guest.users")}
            rows={users}
            keyOf={({ name, domain, since }) => `${domain} ${name} ${since}`}
            empty={t("guest.no_users")}
            columns={[
              {
                title: t("guest.user"),
                cell: ({ name, domain }) => domain === undefined ? name : `${domain}\\${name}`,
              },
              {
                title: t("guest.since"),
                cell: ({ since }) => since === undefined ? null : formatMoment(since),
              },
            ]}
          />
        </Panel>
      )}
    </>
  );
}
