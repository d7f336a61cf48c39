import type { VmShare } from "../../../lib/contract/mod.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { mountCommands } from "../../../lib/vm/shared_folders.ts";
import { diskTexts } from "../../../lib/text/disk_texts.ts";
import { devices } from "../../../lib/i18n/en/devices.ts";
import { disks } from "../../../lib/i18n/en/disks.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { CopyButton } from "../../kit/CopyButton.tsx";
import { DataTable } from "../../kit/DataTable.tsx";
import { RowVerbs } from "../../kit/RowVerbs.tsx";
import { DeviceMarks } from "./DeviceMarks.tsx";

const { t } = textsOf({ ...devices, ...disks });

/** Forms about shared folders. */
export const SHARE_VERBS = ["share", "unshare"] as const;
export type ShareVerb = typeof SHARE_VERBS[number];

/** A line to be typed in the guest. */
function Line({ text, what }: { text: string; what: string }) {
  return (
    <span class="share-line">
      <code>{text}</code>
      <CopyButton text={text} what={what} />
    </span>
  );
}

/** How the guest mounts it. */
function Mount({ share }: { share: VmShare }) {
  const lines = mountCommands(share);
  if (lines === undefined) return <small>{t("devices.share_tag_unusual")}</small>;
  const { now, fstab } = lines;
  return (
    <details class="share-mount">
      <summary>{t("devices.share_mount_how")}</summary>
      <p>{t("devices.share_linux")}</p>
      <Line text={now} what={t("devices.share_mount_of", { tag: share.tag })} />
      <p>{t("devices.share_fstab")}</p>
      <Line text={fstab} what={t("devices.share_fstab_of", { tag: share.tag })} />
      <p>{t(share.driver === "virtiofs" ? "devices.share_windows" : "devices.share_9p")}</p>
    </details>
  );
}

/** Props of {@link ShareList}. */
export interface ShareListProps {
  shares: readonly VmShare[];
  enabled: boolean;
  /** Address of the form that removes it, where there is no script to open it here. */
  hrefOf: (share: VmShare) => string;
  onRemove: (share: VmShare) => void;
}

/** A VM's shared folders: what the guest mounts them by, and how. */
export function ShareList({ shares, enabled, hrefOf, onRemove }: ShareListProps) {
  return (
    <DataTable
      label={t("devices.shares")}
      rows={shares}
      keyOf={({ tag, place }) => `${tag} ${place}`}
      attributesOf={({ tag, place }) => ({ "data-share": tag, "data-place": place })}
      columns={[
        {
          title: t("devices.tag"),
          cell: (share) => (
            <>
              <span class="mono">{oneLine(share.tag, 40)}</span>
              <small>
                {oneLine(share.driver, 20)}
                {share.readOnly && ` · ${diskTexts.short("readOnly")}`}
              </small>
              <DeviceMarks device={share} texts={diskTexts} />
            </>
          ),
        },
        {
          title: t("devices.folder"),
          fit: "wide",
          cell: (share) => (
            <>
              <bdi class="mono">{oneLine(share.folder)}</bdi>
              <Mount share={share} />
            </>
          ),
        },
        {
          title: t("devices.actions"),
          kind: "actions",
          cell: (share) => (
            <RowVerbs
              name={t("devices.share_named", { tag: oneLine(share.tag, 40) })}
              enabled={enabled}
              verbs={[{
                text: t("devices.remove"),
                label: t("devices.remove_share", { tag: oneLine(share.tag, 40) }),
                href: hrefOf(share),
                onAct: () => onRemove(share),
                danger: true,
              }]}
            />
          ),
        },
      ]}
    />
  );
}
